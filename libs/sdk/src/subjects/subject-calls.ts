import type { HttpCall, RepeatingHttp } from '../repeating-http.js';

/** Calls about subjects. Everything posted is known by a key or by the state it leads to, so all of it may be repeated. */
export class SubjectCalls {
  constructor(private readonly http: Pick<RepeatingHttp, 'call'>) {}

  async get(path: string): Promise<unknown> {
    return await this.ask({ method: 'GET', path, repeatable: true });
  }

  async post(path: string, body: object, key?: string): Promise<unknown> {
    return await this.ask({ method: 'POST', path, body, key, repeatable: true });
  }

  private async ask(call: HttpCall): Promise<unknown> {
    return (await this.http.call(call)).body;
  }
}
