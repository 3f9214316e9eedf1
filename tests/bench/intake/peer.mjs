// peer.mjs - what a team would write first: Fastify, node-postgres with a pool of 20, one plain insert a webhook.
import { createHmac, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';

const { PORT, DATABASE_URL, APP_KEY, APP_SECRET } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
await pool.query(`CREATE TABLE IF NOT EXISTS inbox (id bigserial PRIMARY KEY, shop_id text NOT NULL, key text NOT NULL,
  topic integer NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), body bytea NOT NULL)`);

const app = Fastify({ logger: false });
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => done(null, body));
app.post('/tiktok/webhook', async (request, reply) => {
  const given = Buffer.from(request.headers.authorization ?? '', 'hex');
  const wanted = createHmac('sha256', APP_SECRET).update(APP_KEY).update(request.body).digest();
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return reply.code(401).send();
  const event = JSON.parse(request.body);
  await pool.query({ name: 'inbox', text: 'INSERT INTO inbox (shop_id, key, topic, body) VALUES ($1, $2, $3, $4)',
    values: [String(event.shop_id), String(event.tts_notification_id), event.type, request.body] });
  return reply.code(200).send();
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
console.log('ready');
