import { Refusal } from '#kernel';

const TIME = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * A time as people type it, RFC 3339, seconds may be left out. One without its offset would mean another moment on another machine, and the
 * 31st of November, which JavaScript takes for the 1st of December, is none. Refuses 400 `code`.
 */
export function parseTime(text: string, code = 'time.malformed'): Date {
  const [, year, month, day] = TIME.exec(text) ?? [];
  const time = new Date(text);
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  if (isDay && !Number.isNaN(time.getTime())) return time;
  throw new Refusal('malformed', code, `${text} is no time like 2026-12-01T00:00:00+08:00`);
}
