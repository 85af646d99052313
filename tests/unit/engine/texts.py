"""Texts that clients send when they mean no good."""

from hypothesis import strategies as st

# Each character stands for a kind that some rule tells apart; draws from all of Unicode are slow and miss them.
_ASCII = 'aZ09_-.:/=+@!"(){}[] \t\n\r\x00\x0b\x1c\x1f\x7f'
_OTHER = "\x85éß٥鍵\ud7ff\ud800\udfff\ue000\ufffd\ufffe\uffff\U00010000\U0010ffff"

ANY_TEXT = st.text(st.sampled_from(_ASCII + _OTHER), max_size=20)
