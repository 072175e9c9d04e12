/** `1234567.00` as people read it: `1,234,567.00`, as counts are written here. What goes to machines has no groups. */
export function groupDigits(amount: string): string {
  const [whole = '', ...decimals] = amount.split('.');
  return [whole.replace(/\B(?=(\d{3})+$)/g, ','), ...decimals].join('.');
}
