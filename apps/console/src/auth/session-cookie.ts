/** The cookie that holds a session's token. */
export interface SessionCookie {
  readonly name: string;
  read(header: string | undefined): string | undefined;
  set(token: string): string;
  clear(): string;
}

/**
 * HttpOnly and SameSite=Strict always. Over https it is also Secure under the `__Host-` prefix (RFC 6265bis §4.1.3.2), so that
 * no sibling host and no plain-http page can plant one.
 */
export function sessionCookie(https: boolean): SessionCookie {
  const name = https ? '__Host-tallystick' : 'tallystick';
  const attributes = `; Path=/; HttpOnly; SameSite=Strict${https ? '; Secure' : ''}`;
  return {
    name,
    read: (header) => valueOf(name, header),
    set: (token) => `${name}=${token}${attributes}`,
    clear: () => `${name}=; Max-Age=0${attributes}`,
  };
}

const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/;

/** Two cookies of the same name are somebody's trick: neither is read. */
function valueOf(name: string, header = ''): string | undefined {
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 && TOKEN_FORM.test(values[0]!) ? values[0] : undefined;
}
