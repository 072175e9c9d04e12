import { describe, expect, it } from 'vitest';
import { AddressRefused, WebhookAddresses } from './webhook-addresses.js';

const open = new WebhookAddresses([]);
const vpn = new WebhookAddresses(['10.20.0.0/16', '::1/128', '127.0.0.1']);

describe('where a webhook may lead', () => {
  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '192.0.1.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1', '::ffff:8.8.8.8'])(
    'to %s',
    (address) => expect(open.isAllowed(address)).toBe(true),
  );

  it.each([
    ...[
      '127.0.0.1',
      '127.255.255.254',
      '0.0.0.0',
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
    ],
    ...['192.0.0.170', '192.0.2.1', '198.18.0.1', '198.51.100.7', '203.0.113.7', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', 'fe80::1', 'fc00::1', 'fd12:3456::1', 'ff02::1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:0:1::', '2001:db8::1'],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '0:0:0:0:0:ffff:a9fe:a9fe',
      '::ffff:10.0.0.1',
      '::127.0.0.1',
      'localhost',
      '',
      '1.2.3',
      '0x7f.1',
    ],
  ])('never to %s', (address) => expect(open.isAllowed(address)).toBe(false));

  it('to private networks only where they are named', () => {
    expect(['10.20.3.4', '::1', '127.0.0.1', '::ffff:10.20.0.1'].map((address) => vpn.isAllowed(address))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['10.21.0.1', '127.0.0.2', '::2'].map((address) => vpn.isAllowed(address))).toEqual([false, false, false]);
  });

  it('judges an address in the URL itself, which is never looked up', () => {
    expect(() => open.checkLiteral('[::1]')).toThrow(AddressRefused);
    expect(() => open.checkLiteral(new URL('https://0x7f000001/').hostname)).toThrow(AddressRefused);
    expect(() => open.checkLiteral(new URL('https://2130706433/').hostname)).toThrow(AddressRefused);
    expect(() => open.checkLiteral('8.8.8.8')).not.toThrow();
    expect(() => open.checkLiteral('bank.example')).not.toThrow();
  });

  it('judges what is plain to see when it is registered; where a name leads is left to the push', () => {
    expect(['[::1]', 'localhost', 'hooks.localhost', '10.0.0.1', '8.8.8.8'].map((host) => open.mayBe(host))).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
    expect(vpn.mayBe('localhost.')).toBe(true);
    expect(open.mayBe('nobody.invalid')).toBe(true);
  });

  it('judges what a name leads to before anything is connected', async () => {
    const look = (addresses: WebhookAddresses, all: boolean) =>
      new Promise((resolve) => addresses.lookup('localhost', { all }, (error, address) => resolve(error ?? address)));
    expect(await look(open, true)).toBeInstanceOf(AddressRefused);
    expect(await look(open, false)).toBeInstanceOf(AddressRefused);
    expect(await look(new WebhookAddresses(['127.0.0.0/8', '::1/128']), false)).toMatch(/^(127\.0\.0\.1|::1)$/);
  });
});
