// Numbers as people read them: fixed decimals, a real minus sign, no "-0".

export function decimal(value: number, digits: number): string {
  const text = value.toFixed(digits);
  const unsigned = text.replace("-", "");
  return text.startsWith("-") && Number(unsigned) !== 0 ? `\u2212${unsigned}` : unsigned;
}

export function signed(value: number, digits: number): string {
  const text = decimal(value, digits);
  return text.startsWith("\u2212") || Number(text) === 0 ? text : `+${text}`;
}

/** "5" for a whole number of seconds, "2.5" otherwise. */
export function briefly(value: number): string {
  return Number.isInteger(value) ? String(value) : decimal(value, 1);
}

/** The same with a capital at its head. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
