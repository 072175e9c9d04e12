import { describe, expect, it } from 'vitest';
import { type Arrival, clientAddress, consoleDoor, requireOwnPage, requireWatcher } from './origin.js';

const loopback = consoleDoor({ CONSOLE_PROXIES: '' });
const proxied = consoleDoor({ CONSOLE_ORIGIN: 'https://console.example', CONSOLE_PROXIES: '10.0.0.1, 10.0.0.2' });

const own: Arrival = {
  method: 'POST',
  headers: { host: 'localhost:7090', origin: 'http://localhost:7090', 'x-tallystick-console': '1', 'sec-fetch-site': 'same-origin' },
  localAddress: '127.0.0.1',
  localPort: 7090,
  remoteAddress: '127.0.0.1',
};
const but = (change: Partial<Arrival>, headers: Arrival['headers'] = {}): Arrival => ({
  ...own,
  ...change,
  headers: { ...own.headers, ...headers },
});

describe('where a request comes from', () => {
  it.each<[string, Arrival, string | undefined]>([
    ['our own page', own, undefined],
    [
      'a typed address',
      but({ method: 'GET' }, { origin: undefined, 'x-tallystick-console': undefined, 'sec-fetch-site': 'none' }),
      undefined,
    ],
    ['another origin', but({}, { origin: 'http://evil.example' }), 'request.cross_site'],
    ['no origin', but({}, { origin: undefined }), 'request.cross_site'],
    ['a form, which cannot set the header', but({}, { 'x-tallystick-console': undefined }), 'request.cross_site'],
    ['another site reading', but({ method: 'GET' }, { 'sec-fetch-site': 'cross-site' }), 'request.cross_site'],
    ['a rebound name', but({ method: 'GET' }, { host: 'evil.example:7090' }), 'host.unknown'],
    ['another port', but({}, { origin: 'http://localhost:9999' }), 'request.cross_site'],
  ])('%s', (_, arrival, code) => {
    const check = () => requireOwnPage(arrival, loopback);
    if (code) expect(check).toThrow(expect.objectContaining({ code }));
    else expect(check).not.toThrow();
  });

  it('is only the configured origin, where one is configured', () => {
    const arrival = but({}, { host: 'console.example', origin: 'https://console.example' });
    expect(() => requireOwnPage(arrival, proxied)).not.toThrow();
    expect(() => requireOwnPage(own, proxied)).toThrow(expect.objectContaining({ code: 'host.unknown' }));
  });

  it.each<[string, Arrival, typeof loopback, boolean]>([
    ['this machine, at home', own, loopback, true],
    ['this machine, on its own address', but({ localAddress: '10.9.0.1', remoteAddress: '10.9.0.1' }), proxied, true],
    ['a proxy that looks after us', but({ localAddress: '10.9.0.1', remoteAddress: '10.0.0.2' }), proxied, true],
    ['another machine', but({ localAddress: '10.9.0.1', remoteAddress: '10.9.0.2' }), proxied, false],
    ['another machine that claims to be near', but({ remoteAddress: '10.9.0.2' }, { 'x-forwarded-for': '127.0.0.1' }), proxied, false],
    ['a browser behind a named proxy', but({ remoteAddress: '10.0.0.2' }, { 'x-forwarded-for': '192.0.2.7' }), proxied, false],
    ['a browser behind a proxy on this machine', but({}, { host: 'console.example' }), proxied, false],
  ])('says how the process is to those who watch it: %s', (_, arrival, door, answered) => {
    const check = () => requireWatcher(arrival, door);
    if (answered) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: 'operations.not_here' }));
  });

  it('believes forwarded addresses of named proxies only, and only their own entry', () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.9, 192.0.2.7' };
    expect(clientAddress(but({ remoteAddress: '10.0.0.2' }, forwarded), proxied)).toBe('192.0.2.7');
    expect(clientAddress(but({ remoteAddress: '10.9.9.9' }, forwarded), proxied)).toBeUndefined();
    expect(clientAddress(but({}, forwarded), loopback)).toBe('127.0.0.1');
  });
});
