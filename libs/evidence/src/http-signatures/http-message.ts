/** A request as its receiver sees it. */
export interface HttpRequestMessage {
  readonly method: string;
  /** The absolute URI that the sender meant: the configured origin with path and query exactly as received. */
  readonly targetUri: string;
  readonly headers: HttpFields;
}

export interface HttpResponseMessage {
  readonly status: number;
  readonly headers: HttpFields;
  /** What it answers: for components with the parameter `req`. */
  readonly request?: HttpRequestMessage;
}

export type HttpMessage = HttpRequestMessage | HttpResponseMessage;

/** Field lines by name in lower case: as `node:http` and undici give them. */
export type HttpFields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The value that a signature covers: all lines of the field, trimmed, joined by comma and space (RFC 9421 §2.1). */
export function fieldValue(headers: HttpFields, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined) return undefined;
  return typeof value === 'string' ? trimmed(value) : value.map(trimmed).join(', ');
}

function trimmed(line: string): string {
  return /^[ \t]|[ \t]$/.test(line) ? line.replace(/^[ \t]+|[ \t]+$/g, '') : line;
}
