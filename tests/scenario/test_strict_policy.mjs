// test_strict_policy.mjs - a client that names no trade policy uses VTEX's first one in every call; a SKU that the account's
// own seller does not sell has no stock, whoever else sells it.
import { end, ok, same, test } from './lib.mjs';
import { World, png } from '../strict/world.mjs';
import { furnish, rss } from '../strict/merchant.mjs';

const HASH = 'strict-loja-politica';
const SHOP = '7000000000000000901';
const w = await World.start();
furnish(w.tiktok);
w.tiktok.addSeller('seller-politica', [SHOP]);
w.vtex.account('strictpol', { sc: '1', skus: { 1: { price: 10.5, stock: [['1_1', 5, 0]] }, 2: { price: 20, stock: [['1_1', 6, 0]], sellerInactive: true } },
  warehouses: [{ id: '1_1', dock: 'd1', sc: ['1'] }, { id: 'other', dock: 'd2', sc: ['7'] }] });
w.merchant.files.set('/c.png', { type: 'image/png', body: png(400, 400, 9) });
const item = (id) => ({ id, title: `Caneca Política ${id}`, description: 'Boa', link: 'https://loja.example/p', image_link: `${w.merchant.url}/c.png`, availability: 'in stock', price: '50.00 BRL', product_type: 'Casa > Canecas', brand: 'Aurora', shipping_weight: '300 g' });
w.merchant.files.set('/politica.xml', { body: rss('g', [item('1'), item('2')]) });
const made = await w.must('PUT', `/v1/clients/${HASH}`, { name: 'Loja Política', tik_tok_shop_feed_link: `${w.merchant.url}/politica.xml`,
  vtex: { account: 'strictpol', app_key: 'vtexappkey-strictpol-STRICT', app_token: 'token-of-strictpol', affiliate_id: 'TTK' } });
await w.connect(HASH, 'seller-politica');

await test('the default is shown and goes with every call', async () => {
  same(made.vtex.sales_channel, '1', 'shown');
  await w.run(HASH);
  await w.settled(HASH);
  const of = (name) => w.vtex.calls.filter((c) => c.name === name);
  ok(of('getSkuContext').length >= 2 && of('getSkuContext').every((c) => c.query.sc === '1'), JSON.stringify(of('getSkuContext')));
  ok(of('getComputedPrice').length >= 1 && of('getComputedPrice').every((c) => c.path.endsWith('/computed/1')), JSON.stringify(of('getComputedPrice')));
});

await test('a SKU whose own seller is inactive has no stock, and says why', async () => {
  const [first, second] = await Promise.all(['1', '2'].map((id) => w.must('GET', `/v1/clients/${HASH}/products/${id}`)));
  same([first.skus[0].price.desired, first.skus[0].stock.desired], ['10.50', 5], 'sold');
  same(second.skus[0].stock.desired, 0, 'not sold');
  ok(second.problems.some((p) => p.code === 'not_in_trade_policy'), JSON.stringify(second.problems));
});

await test('no request broke a contract', () => w.noViolations());
await end();
