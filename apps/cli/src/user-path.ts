import path from 'node:path';

/** Files are named from where the user stands, not from where the program runs. */
export function userPath(name: string): string {
  return path.resolve(process.env['TALLYSTICK_CWD'] ?? process.cwd(), name);
}
