// orders_shapes.mjs - TikTok orders of many shapes and, worked out separately from the contracts' mapping table, what
// each must look like as a VTEX placement.
import { SKUS } from './orders_vtex.mjs';

const money = (cents) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
const sum = (list, f) => list.reduce((n, x) => n + f(x), 0);

function check(digits, weights) {
  const r = weights.reduce((n, w, i) => n + w * digits[i], 0) % 11;
  return r < 2 ? 0 : 11 - r;
}
export function cpf(rng) {
  const d = Array.from({ length: 9 }, () => rng.below(10));
  if (rng.is(0.2)) d[0] = 0;
  d.push(check(d, [10, 9, 8, 7, 6, 5, 4, 3, 2]));
  d.push(check(d, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]));
  return d.join('');
}
export function cnpj(rng) {
  const d = [...Array.from({ length: 8 }, () => rng.below(10)), 0, 0, 0, 1];
  d.push(check(d, [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]));
  d.push(check(d, [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]));
  return d.join('');
}
const dotted = (d) => (d.length === 11 ? `${d.slice(0, 3)}.${d.slice(3, 6)}.${d.slice(6, 9)}-${d.slice(9)}` : `${d.slice(0, 2)}.${d.slice(2, 5)}.${d.slice(5, 8)}/${d.slice(8, 12)}-${d.slice(12)}`);

const STATES = [['São Paulo', 'SP'], ['Sao Paulo', 'SP'], ['SÃO PAULO', 'SP'], ['Rio de Janeiro', 'RJ'], ['Ceará', 'CE'], ['Ceara', 'CE'], ['Rio Grande do Sul', 'RS'], ['Rio Grande do Norte', 'RN'], ['Distrito Federal', 'DF'],
  ['Espírito Santo', 'ES'], ['Goiás', 'GO'], ['goias', 'GO'], ['Paraná', 'PR'], ['Pará', 'PA'], ['Paraíba', 'PB'], ['Mato Grosso', 'MT'], ['Mato Grosso do Sul', 'MS'], ['Amapá', 'AP'], ['Amazonas', 'AM'], ['Maranhão', 'MA'],
  ['Piauí', 'PI'], ['Rondônia', 'RO'], ['Roraima', 'RR'], ['Santa Catarina', 'SC'], ['Sergipe', 'SE'], ['Tocantins', 'TO'], ['Acre', 'AC'], ['Alagoas', 'AL'], ['Bahia', 'BA'], ['Minas Gerais', 'MG'], ['Pernambuco', 'PE'], ['SP', 'SP'], ['RJ', 'RJ']];
const NAMES = ['Mariana Alves Souza', 'João da Silva', "Ana Lúcia d'Ávila", 'José', 'Luís Otávio Bragança e Nóbrega', 'Ana  Paula   Reis ', 'Zé Ninguém'];

let postal = 1000000;
let lineId = 0;

// kind names what is special; 'plain' and the others of KINDS below. Answers { order, expect }.
export function make(rng, kind, options = {}) {
  const id = options.id ?? (kind === 'huge_id' ? `9${rng.digits(rng.pick([19, 22, 29]))}` : `58${rng.digits(16)}`);
  const t = Math.floor(Date.now() / 1000);
  const person = options.name ?? rng.pick(NAMES);
  const doc = kind === 'cnpj' ? cnpj(rng) : cpf(rng);
  postal += 7;
  const zip = String(postal).padStart(8, '0');
  const [state, uf] = rng.pick(STATES);
  const units = [];
  const unit = (sku, price, { seller = 0, platform = 0, ...more } = {}) => {
    lineId++;
    units.push({ id: `5${rng.digits(12)}${String(lineId).padStart(6, '0')}`, sku_id: `1730000000000${sku}`, seller_sku: String(sku), product_id: '1730000000000000301', product_name: 'Camiseta "Básica" <Algodão>', sku_name: 'Preta, M',
      original_price: money(price + seller + platform), sale_price: money(price), seller_discount: money(seller), platform_discount: money(platform), currency: 'BRL', is_gift: false, display_status: 'AWAITING_SHIPMENT',
      package_id: `115${rng.digits(16)}`, package_status: 'TO_FULFILL', ...more });
  };
  const skus = [...SKUS].sort(() => rng.next() - 0.5);
  const price = () => 50 + rng.below(30000);
  const two = price();
  switch (kind) {
    case 'units': for (let i = 0; i < 3; i++) unit(skus[0], two); unit(skus[1], price()); unit(skus[0], two); break;
    case 'two_prices': unit(skus[0], 6990); unit(skus[0], 6990); unit(skus[0], 5991); unit(skus[1], price()); break;
    case 'discounts': unit(skus[0], 6990, { seller: 1000 }); unit(skus[0], 6990, { seller: 1000 }); unit(skus[1], 11990, { platform: 1000, seller: 1 }); break;
    case 'gift': unit(skus[0], price()); unit(skus[1], 0, { is_gift: true, seller: 500 }); break;
    case 'zero': case 'sample': unit(skus[0], 0, { seller: 990 }); break;
    case 'cancelled_line': unit(skus[0], two); unit(skus[1], price(), { display_status: 'CANCELLED', cancel_user: 'BUYER', cancel_reason: 'x' }); unit(skus[0], two); break;
    case 'many': for (let i = 0; i < 40; i++) unit(skus[i % 6], 100 + (i % 6)); break;
    default: unit(skus[0], price()); if (rng.is(0.5)) unit(skus[1], price(), { platform: rng.below(3) * 100 });
  }
  if (options.seller_sku !== undefined) { units[0].seller_sku = options.seller_sku; units[0].sku_id = options.sku_id ?? `1739${rng.digits(15)}`; }
  const fee = kind === 'zero' || kind === 'sample' ? 0 : rng.pick([0, 1500, 1990, 333]);
  const feePlatform = rng.pick([0, 0, 500]);
  const feeSeller = rng.pick([0, 0, 300]);
  const alive = units.filter((u) => u.display_status !== 'CANCELLED');
  const cents = (text) => Number(text.replace('.', ''));
  const paid = sum(alive, (u) => cents(u.sale_price)) + fee;
  const masked = kind === 'masked';
  const address = { neighborhood: 'Bela Vista', street: 'Avenida Paulista', number: '1578', complement: 'Apto 42' };
  const lines = { ...address };
  const want = { ...address };
  switch (kind) {
    case 'no_number': lines.number = ''; want.number = 'S/N'; break;
    case 's_n': lines.number = rng.pick(['s/n', 'S/N', 'SN', 'sem número']); want.number = lines.number === 's/n' ? 'S/N' : undefined; break;
    case 'no_complement': lines.complement = ''; want.complement = null; break;
    case 'dirty': lines.street = ' Rua \t das   Flores\u0007 '; want.street = 'Rua das Flores'; lines.complement = ' bloco B\n'; want.complement = 'bloco B'; break;
    default:
  }
  let recipient = { name: masked ? 'M*** S***' : person, first_name: masked ? 'M*** S***' : person, last_name: '', phone_number: masked ? '(+55)11*****4321' : rng.pick(['(+55)11987654321', '(+55) 11 98765-4321', '+5511987654321', '5511987654321', '(+55)1132654321']),
    postal_code: rng.is(0.3) ? `${zip.slice(0, 5)}-${zip.slice(5)}` : zip, region_code: 'BR', address_line1: lines.neighborhood, address_line2: lines.street, address_line3: lines.number, address_line4: lines.complement,
    address_detail: 'Avenida Paulista 1578 Apto 42', full_address: `Brasil, ${state}, São Paulo, Bela Vista, Avenida Paulista 1578 Apto 42`,
    district_info: [{ address_level: 'L0', address_level_name: rng.pick(['country', 'Country']), address_name: 'Brasil' }, { address_level: 'L1', address_level_name: rng.pick(['state', 'State']), address_name: state },
      { address_level: 'L2', address_level_name: rng.pick(['municipality', 'city', 'City']), address_name: 'Campos do Jordão' }] };
  const expectAddress = want;
  if (kind === 'only_full') {
    for (const k of ['address_line1', 'address_line2', 'address_line3', 'address_line4']) delete recipient[k];
    for (const k of Object.keys(expectAddress)) delete expectAddress[k];
    expectAddress.streetHas = 'Avenida Paulista';
  }
  if (kind === 'swapped') {
    Object.assign(recipient, { address_line1: 'Avenida Paulista, 1578', address_line2: 'Apto 42', address_line3: 'Bela Vista', address_line4: '' });
    for (const k of Object.keys(expectAddress)) delete expectAddress[k];
  }
  if (kind === 'name_in_first') recipient.name = '';
  if (masked) { recipient = { ...recipient, address_line2: 'Av***', address_line3: '***', address_line4: '***', address_detail: '***', full_address: '***' }; Object.assign(expectAddress, { street: 'Av***', number: undefined, complement: undefined }); }
  const fob = masked || rng.is(0.5);
  const card = rng.is(0.5);
  const long = kind === 'long_message' ? 'Olá! '.repeat(300).trim() : rng.is(0.3) ? 'Por favor, entregar à tarde 😀' : '';
  const order = {
    id, status: 'AWAITING_SHIPMENT', create_time: t - 60, paid_time: t - 30, update_time: t, user_id: rng.digits(19), order_type: 'NORMAL', commerce_platform: 'TIKTOK_SHOP', is_sample_order: kind === 'sample', is_replacement_order: false,
    is_on_hold_order: false, is_cod: false, shipping_type: fob ? 'TIKTOK' : 'SELLER', fulfillment_type: kind === 'by_tiktok' ? 'FULFILLMENT_BY_TIKTOK' : 'FULFILLMENT_BY_SELLER', delivery_type: 'HOME_DELIVERY',
    delivery_option_id: '7091146663229654785', delivery_option_name: 'Entrega padrão', warehouse_id: '6955005333819123123', need_upload_invoice: 'NEED_INVOICE', buyer_email: kind === 'no_email' ? '' : `v${rng.digits(6)}@chat.seller.tiktok.com`,
    buyer_message: long, cpf: kind === 'formatted' || rng.is(0.5) ? dotted(doc) : doc, cpf_name: masked || kind === 'no_cpf_name' ? '' : person, payment_method_name: card ? 'Cartão de crédito' : 'Pix', payment_card_type: card ? 'Credit' : undefined,
    payment_method_code: card ? 'pm_pi_ccdc_visa_c_d' : 'pm_pi_pix', payment_auth_code: card ? `AUTH${rng.digits(6)}` : `E${rng.digits(20)}`, channel_entity_national_registry_id: '26.545.167/0001-21', rts_sla_time: t + 86400, tts_sla_time: t + 172800,
    payment: { currency: 'BRL', original_total_product_price: money(sum(alive, (u) => cents(u.original_price))), seller_discount: money(sum(alive, (u) => cents(u.seller_discount))), platform_discount: money(sum(alive, (u) => cents(u.platform_discount))),
      sub_total: money(sum(alive, (u) => cents(u.sale_price))), original_shipping_fee: money(fee + feePlatform + feeSeller), shipping_fee_seller_discount: money(feeSeller), shipping_fee_platform_discount: money(feePlatform), shipping_fee_cofunded_discount: '0',
      shipping_fee: money(fee), total_amount: money(paid), tax: '0' },
    recipient_address: recipient, packages: [{ id: `115${rng.digits(16)}` }], line_items: units, an_unknown_field: { x: [1, 2, null] },
  };
  if (kind === 'bad_cpf') order.cpf = '111.111.111-11';
  if (kind === 'masked_cpf') order.cpf = '***.456.789-**';
  if (kind === 'no_postal') order.recipient_address.postal_code = '';
  if (kind === 'foreign_money') order.payment.currency = 'USD';
  const lineMap = new Map();
  for (const u of alive) {
    const p = cents(u.sale_price) + cents(u.platform_discount);
    const vid = u === units[0] && options.vtex_sku ? options.vtex_sku : u.seller_sku;
    const k = `${vid}@${p}`;
    lineMap.set(k, { id: vid, price: p, quantity: (lineMap.get(k)?.quantity ?? 0) + 1 });
  }
  const buyer = clean(order.cpf_name || recipient.name || recipient.first_name);
  const blank = buyer.indexOf(' ');
  const expect = {
    id, kind, order, lines: [...lineMap.values()], freight: fee + feePlatform, document: doc, documentType: kind === 'cnpj' ? 'cnpj' : 'cpf', firstName: blank < 0 ? buyer : buyer.slice(0, blank), lastName: blank < 0 ? null : buyer.slice(blank + 1),
    receiver: clean(recipient.name || recipient.first_name), phone: masked ? '+5511999999999' : phone(recipient.phone_number), email: order.buyer_email, postal: kind === 'no_postal' ? null : zip, uf, city: 'Campos do Jordão', address: expectAddress, fob,
    message: long ? [...long].slice(0, 480).join('') : '', authCode: order.payment_auth_code, acquirer: '26545167000121', card, manual: kind === 'manual', sla: options.sla ?? rng.pick(['cheap', 'cheap', 'pickup', 'tie', 'common']),
    statuses: [], payable() { return this.paid === true; },
  };
  return { order, expect };
}

function clean(text) { return text.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/ +/g, ' ').trim(); }
function phone(text) { return `+${text.replace(/\D/g, '')}`; }

export const PAYABLE = ['plain', 'plain', 'units', 'two_prices', 'discounts', 'gift', 'zero', 'sample', 'cancelled_line', 'many', 'no_number', 's_n', 'no_complement', 'dirty', 'only_full', 'swapped', 'name_in_first',
  'masked', 'long_message', 'cnpj', 'formatted', 'no_email', 'no_cpf_name', 'huge_id'];
