import supertest from 'supertest';
import type { Role } from '#staff';
import { type ConsoleWorld, nameOf } from './console-world.js';

/** The console's API as its own page calls it. */
export class ConsoleClient {
  cookie = '';

  constructor(private readonly world: ConsoleWorld) {}

  get(path: string, headers: Record<string, string> = {}): supertest.Test {
    return supertest(this.world.url)
      .get(path)
      .set({ cookie: this.cookie, ...headers });
  }

  send(method: 'post' | 'delete', path: string, body?: object, headers: Record<string, string> = {}): supertest.Test {
    const origin = new URL(this.world.url).origin;
    const agent = supertest(this.world.url);
    const call = method === 'post' ? agent.post(path) : agent.delete(path);
    return call.set({ cookie: this.cookie, origin, 'x-tallystick-console': '1', ...headers }).send(body);
  }

  async signIn(name: string, password: string): Promise<supertest.Response> {
    const answer = await this.send('post', '/api/session', { name, password });
    const [cookie] = (answer.headers['set-cookie'] as unknown as string[] | undefined) ?? [];
    if (cookie) this.cookie = cookie.split(';')[0]!;
    return answer;
  }
}

export async function signedIn(world: ConsoleWorld, role: Role): Promise<ConsoleClient> {
  const client = new ConsoleClient(world);
  await client.signIn(nameOf(role), world.password(role)).then((answer) => {
    if (answer.status !== 200) throw new Error(`sign-in of ${role} answered ${answer.status}: ${answer.text}`);
  });
  return client;
}
