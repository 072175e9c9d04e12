import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import supertest from 'supertest';
import { Refusal } from '#kernel';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { HealthController, READINESS } from './health.controller.js';
import { createHttpApp } from './http-app.js';

const broken = new Set<string>();
const logged: string[] = [];
const check = (name: string) => async () => {
  if (name === 'log' && broken.has(name)) throw new Refusal('unavailable', 'log.gap', 'a fact of 10.0.0.7 is missing');
  if (broken.has(name)) throw new Error('connect ECONNREFUSED 10.0.0.7:5432');
};

@Module({
  controllers: [HealthController],
  providers: [{ provide: READINESS, useValue: { database: check('database'), log: check('log') } }],
})
class TestModule {}

let app: NestFastifyApplication;
beforeAll(async () => {
  const logger = pino({ level: 'error' }, { write: (line: string) => void logged.push(line) });
  app = await createHttpApp({ module: TestModule }, { logger, bodyBytesMax: 1_000 });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterAll(() => app.close());
beforeEach(() => broken.clear());

it('a process that can do its work says so of each part', async () => {
  const { body } = await supertest(app.getHttpServer()).get('/ready').expect(200);
  expect(body).toEqual({ database: 'ok', log: 'ok' });
});

it('one that cannot is 503, names the part and nothing of our network, and is alive all the same: that is no defect', async () => {
  broken.add('database');
  const { body } = await supertest(app.getHttpServer())
    .get('/ready')
    .expect(503)
    .expect('content-type', /^application\/problem\+json/);
  expect(body).toMatchObject({ status: 503, code: 'process.not_ready', detail: 'this process is not ready: database' });
  expect(logged).toEqual([]);
  await supertest(app.getHttpServer()).get('/health').expect(200, { status: 'ok' });
});

it('tells the code of what a part refuses, and no more of it', async () => {
  broken.add('log');
  const { body } = await supertest(app.getHttpServer()).get('/ready').expect(503);
  expect(body).toMatchObject({ code: 'process.not_ready', detail: 'this process is not ready: log (log.gap)' });
});
