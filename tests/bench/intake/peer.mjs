// peer.mjs - what a team would write first: Fastify, node-postgres with a pool of 20, one plain insert a webhook into one
// table whose unique key drops repeats. (The connector writes three rows: key, raw event, job.)
import { createHmac, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';

const { PORT, DATABASE_URL, APP_KEY, APP_SECRET } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
await pool.query(`CREATE TABLE IF NOT EXISTS inbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, notification_id text NOT NULL UNIQUE,
  shop_id text NOT NULL, topic integer NOT NULL, sent_at bigint NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), body jsonb NOT NULL)`);

const app = Fastify({ logger: false });
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => done(null, body));
app.post('/tiktok/webhook', async (request, reply) => {
  const given = Buffer.from(request.headers.authorization ?? '', 'hex');
  const wanted = createHmac('sha256', APP_SECRET).update(APP_KEY).update(request.body).digest();
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return reply.code(401).send();
  const event = JSON.parse(request.body);
  await pool.query({ name: 'inbox', text: 'INSERT INTO inbox (notification_id, shop_id, topic, sent_at, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
    values: [String(event.tts_notification_id), String(event.shop_id), event.type, event.timestamp, request.body.toString()] });
  return reply.code(200).send();
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
console.log('ready');
