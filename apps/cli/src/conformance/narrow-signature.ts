import type { HttpSigner } from '#evidence';

const COVERED = '"@method" "@target-uri"';

/** A signature that is right in everything, but does not cover the body (RFC 9421 §3.1): whoever takes it can be sent any other. */
export function signWithoutDigest(
  { method, targetUri }: { readonly method: string; readonly targetUri: string },
  signer: HttpSigner,
  { at, nonce }: { readonly at: Date; readonly nonce: string },
): { readonly 'signature-input': string; readonly signature: string } {
  const created = Math.floor(at.getTime() / 1_000);
  const params = `(${COVERED});created=${created};keyid="${signer.kid}";nonce="${nonce}";tag="fapi-2-request"`;
  const base = `"@method": ${method}\n"@target-uri": ${targetUri}\n"@signature-params": ${params}`;
  const signature = Buffer.from(signer.sign(new TextEncoder().encode(base))).toString('base64');
  return { 'signature-input': `sig1=${params}`, signature: `sig1=:${signature}:` };
}
