// Numbers of a chart: where its axes have marks, and how values and moments are written. Nothing here draws.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [1, 2, 5, 10, 15, 30].map((each) => each * MINUTE)
  .concat([1, 2, 3, 6, 12].map((each) => each * HOUR), [1, 2, 3, 7].map((each) => each * DAY));
const SECOND_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
  172_800, 432_000, 864_000];
const BYTES = ["bytes", "KiB", "MiB", "GiB", "TiB"];
const PARTS = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const decimals = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** Marks from 0 to the first one that is not below `top`: nice numbers, at most `most` steps. */
export function valueMarks(top, unit, most) {
  if (top === 0) {
    return [0, 1];
  }
  const step = niceStep(top / most, unit);
  const count = Math.max(1, Math.ceil(top / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

// The least nice number that is at least `raw`.
function niceStep(raw, unit) {
  if (unit === "Bytes" && raw > 1) {
    return 2 ** Math.ceil(Math.log2(raw));
  }
  if (unit === "Seconds" && raw > 1) {
    return SECOND_STEPS.find((each) => each >= raw) ?? Math.ceil(raw / 864_000) * 864_000;
  }
  const scale = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].find((each) => each * scale >= raw * (1 - 1e-9)) * scale;
}

/** Marks of a time axis in UTC: moments in milliseconds at round times, at most `most`, and their step. */
export function timeMarks(first, last, most) {
  const step = TIME_STEPS.find((each) => (last - first) / each <= most) ?? Math.ceil((last - first) / most / DAY) * DAY;
  const marks = [];
  for (let moment = Math.ceil(first / step) * step; moment <= last; moment += step) {
    marks.push(moment);
  }
  return { marks, step };
}

/** What stands at a mark of the time axis: the time, or the day where one begins. */
export function markText(moment) {
  return moment % DAY === 0 ? dayText(moment) : clockText(moment);
}

/** A period as people read it: "21 Nov 07:25 UTC", or "21 Nov 07:25 – 07:30 UTC". */
export function periodText(moment, period) {
  const end = moment + (period ?? 0);
  const begin = `${dayText(moment)} ${clockText(moment)}`;
  if (!period || period <= MINUTE) {
    return `${begin} UTC`;
  }
  const sameDay = Math.floor(moment / DAY) === Math.floor(end / DAY);
  return `${begin} – ${sameDay ? "" : `${dayText(end)} `}${clockText(end)} UTC`;
}

function dayText(moment) {
  const date = new Date(moment);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

function clockText(moment) {
  return new Date(moment).toISOString().slice(11, 16);
}

/** A moment in a table, to the second. */
export function momentText(moment) {
  return `${new Date(moment).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A value with its unit; charts.py writes them likewise. */
export function valueText(value, unit) {
  if (value === null || value === undefined) {
    return "-";
  }
  if (unit === "Bytes") {
    return bytesText(value);
  }
  if (unit === "Seconds") {
    return secondsText(value);
  }
  const suffixes = { Count: "", Milliseconds: " ms", Percent: "%" };
  return decimals.format(value) + (suffixes[unit] ?? ` ${unit}`);
}

function bytesText(value) {
  let left = value;
  let unit = 0;
  for (; left >= 1024 && unit < BYTES.length - 1; unit += 1) {
    left /= 1024;
  }
  const name = unit === 0 && left === 1 ? "byte" : BYTES[unit];
  return `${left.toLocaleString("en-US", { maximumFractionDigits: 1 })} ${name}`;
}

function secondsText(seconds) {
  if (seconds < 60) {
    return `${decimals.format(seconds)} s`;
  }
  let left = Math.round(seconds);
  const parts = [];
  for (const [name, length] of PARTS) {
    const amount = Math.floor(left / length);
    left %= length;
    if (amount || parts.length) {
      parts.push(amount ? `${amount} ${name}` : "");
    }
  }
  return parts.slice(0, 2).filter(Boolean).join(" ");
}

/** "Latest 5, minimum 0, maximum 12", for each line of a chart. */
export function summaryText(series, unit) {
  const lines = series.map(({ points }) => lineSummary(points, unit));
  return lines.length === 1 ? lines[0] : lines.map((line, index) => `${series[index].name}: ${line}`).join("; ");
}

function lineSummary(points, unit) {
  const known = points.map(([, value]) => value).filter((value) => value !== null);
  if (!known.length) {
    return "No data";
  }
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const [latestText, leastText, mostText] = [known.at(-1), least, most].map((value) => valueText(value, unit));
  return `Latest ${latestText}, minimum ${leastText}, maximum ${mostText}`;
}
