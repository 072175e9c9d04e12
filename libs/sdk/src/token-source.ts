/** A service account's token (a JWT), however you get it. */
export type TokenProvider = () => Promise<string> | string;

/** Asked for anew this long before its end, so that none ends on the way. */
const renewBeforeMs = 30_000;
/** A token without a readable end is kept this long. */
const opaqueTokenMs = 60_000;

/** Keeps a token until shortly before its end. Many calls at once ask the provider once. */
export class TokenSource {
  private kept: { readonly token: string; readonly untilMs: number } | undefined;
  private asking: Promise<string> | undefined;

  constructor(
    private readonly provider: TokenProvider,
    private readonly nowMs: () => number = Date.now,
  ) {}

  async token(): Promise<string> {
    if (this.kept && this.nowMs() < this.kept.untilMs) return this.kept.token;
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return await this.asking;
  }

  /** It was refused: the next call asks for another. */
  forget(token: string): void {
    if (this.kept?.token === token) this.kept = undefined;
  }

  private async ask(): Promise<string> {
    const token = await this.provider();
    const endMs = endOf(token);
    this.kept = { token, untilMs: endMs === undefined ? this.nowMs() + opaqueTokenMs : endMs - renewBeforeMs };
    return token;
  }
}

/** Read, not verified: only to know when to ask for the next. */
function endOf(token: string): number | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp?: unknown };
    return typeof claims.exp === 'number' ? claims.exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
