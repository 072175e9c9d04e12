// The fixed yardstick: bare Fastify that parses the same body and sends it back.
import Fastify from 'fastify';

const app = Fastify();
app.post('/v1/decisions', (request, reply) => {
  reply.send(request.body);
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
