import { createPublicKey, type KeyObject, sign } from 'node:crypto';

const SEQUENCE = 0x30;
const SET = 0x31;
const NO_ATTRIBUTES = Buffer.from('a000', 'hex');
const VERSION_1 = Buffer.from('020100', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');

/**
 * A certificate request (PKCS#10, RFC 2986) in PEM for a key on P-256. The gateway's issuer takes the key from it and sets the names itself. By
 * hand, because a library for it would bring this package five times the dependencies it has.
 */
export function makeCertificateRequest(privateKey: KeyObject, commonName: string): string {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from(commonName)))));
  const info = der(SEQUENCE, VERSION_1, subject, spki, NO_ATTRIBUTES);
  const signature = der(0x03, Buffer.from([0]), sign('sha256', info, privateKey));
  const lines = der(SEQUENCE, info, der(SEQUENCE, ECDSA_WITH_SHA256), signature)
    .toString('base64')
    .match(/.{1,64}/g)!;
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n');
}

/** One value in DER (X.690): what a request holds is shorter than 64 KiB. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
