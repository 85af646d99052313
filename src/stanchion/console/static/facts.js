// Lists of facts: <dl class="key-values">.

/** Fills a list with [label, text] pairs. */
export function showFacts(list, facts) {
  list.replaceChildren(
    ...facts.map(([label, text]) => {
      const fact = document.createElement("div");
      const term = document.createElement("dt");
      term.textContent = label;
      const value = document.createElement("dd");
      value.textContent = text;
      fact.append(term, value);
      return fact;
    }),
  );
}
