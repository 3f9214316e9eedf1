// merchant.mjs - three merchants with feeds of different shapes, their VTEX accounts and what must stand in TikTok
// Shop in the end, worked out by hand from the rules and not by any code of the connector.
export const CAT = { shirt: '600001', mug: '600002', parent: '600000', banned: '600003', sized: '600004', asks: '600005', nodes: '600009' };

export function furnish(tt) {
  const ok = { permission_statuses: ['AVAILABLE'] };
  tt.categories = [
    { id: CAT.parent, parent_id: '0', local_name: 'Moda', is_leaf: false, ...ok }, { id: CAT.shirt, parent_id: CAT.parent, local_name: 'Camisetas', is_leaf: true, ...ok },
    { id: CAT.mug, parent_id: CAT.nodes, local_name: 'Canecas', is_leaf: true, ...ok }, { id: CAT.banned, parent_id: CAT.parent, local_name: 'Armas', is_leaf: true, permission_statuses: ['PROHIBITED'] },
    { id: CAT.sized, parent_id: CAT.parent, local_name: 'Tênis', is_leaf: true, ...ok }, { id: CAT.asks, parent_id: CAT.nodes, local_name: 'Elétricos', is_leaf: true, ...ok },
    { id: CAT.nodes, parent_id: '0', local_name: 'Casa', is_leaf: false, ...ok, unknown: 1 }];
  tt.attributes = {
    [CAT.shirt]: [
      { id: '100000', name: 'Cor', type: 'SALES_PROPERTY', is_requried: false, is_customizable: true, values: [{ id: '1', name: 'Azul' }] },
      { id: '100007', name: 'Tamanho', type: 'SALES_PROPERTY', is_requried: false, is_customizable: true, values: [] },
      { id: '100101', name: 'Material', type: 'PRODUCT_PROPERTY', is_requried: false, is_customizable: true, is_multiple_selection: true, values: [{ id: '5', name: 'Algodão' }, { id: '6', name: 'Couro' }] },
      { id: '100102', name: 'Tipo de couro', type: 'PRODUCT_PROPERTY', is_requried: false, is_customizable: false, is_multiple_selection: false, values: [{ id: '61', name: 'Bovino' }],
        requirement_conditions: [{ condition_type: 'VALUE_ID_MATCH', attribute_id: '100101', attribute_value_id: '6' }] }],
    [CAT.mug]: [],
    [CAT.sized]: [{ id: '100900', name: 'Tamanho', type: 'SALES_PROPERTY', is_requried: true, is_customizable: false, values: [{ id: '40', name: '40' }, { id: '41', name: '41' }] }],
    [CAT.asks]: [
      { id: '100201', name: 'Voltagem', type: 'PRODUCT_PROPERTY', is_requried: true, is_customizable: false, is_multiple_selection: false, values: [{ id: '220', name: '220V' }, { id: '110', name: '110V' }] },
      { id: '100202', name: 'Potência (W)', type: 'PRODUCT_PROPERTY', is_customizable: true, value_data_format: 'POSITIVE_INT_OR_DECIMAL', values: [],
        requirement_conditions: [{ condition_type: 'VALUE_ID_MATCH', attribute_id: '100201', attribute_value_id: '220' }] }] };
  tt.rules = { [CAT.mug]: { package_dimension: { is_required: true } } };
  tt.brands = [
    { id: '7000001', name: 'Aurora', authorized_status: 'AUTHORIZED', is_t1_brand: false, brand_status: 'AVAILABLE' }, { id: '7000002', name: 'Aurora Kids', authorized_status: 'UNAUTHORIEZD', is_t1_brand: false, brand_status: 'AVAILABLE' },
    { id: '7000003', name: 'Famosa', authorized_status: 'UNAUTHORIEZD', is_t1_brand: true, brand_status: 'AVAILABLE' }, { id: '7000004', name: 'Parada', authorized_status: 'AUTHORIZED', is_t1_brand: false, brand_status: 'UNAVAILABLE' },
    { id: '7000005', name: 'Zebra & Cia', authorized_status: 'UNAUTHORIZED', is_t1_brand: false, brand_status: 'AVAILABLE' }];
  tt.recommend = (title) => (/Moda geral/.test(title) ? CAT.parent : /Espingarda/.test(title) ? CAT.banned : /Tênis/.test(title) ? CAT.sized
    : /Ferro/.test(title) ? CAT.asks : /Caneca|Copo/.test(title) ? CAT.mug : /Sem categoria/.test(title) ? null : CAT.shirt);
}

const esc = (s) => String(s).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

// One item as lines of elements with a prefix; arrays repeat, `raw:` values go in as they stand.
export function item(prefix, fields, wrap = 'item') {
  let out = `<${wrap}>`;
  for (const [k, v] of Object.entries(fields)) {
    if (v === undefined || v === null) continue;
    const name = k.includes(':') ? k : `${prefix}:${k}`;
    for (const one of [v].flat()) out += `<${name}>${String(one).startsWith('raw:') ? String(one).slice(4) : esc(one)}</${name}>`;
  }
  return `${out}</${wrap}>\n`;
}

export function rss(prefix, items) {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!-- feed --><rss version="2.0" xmlns:${prefix}="http://base.google.com/ns/1.0" xmlns:c="http://base.google.com/cns/1.0"><channel><title>Loja</title><link>https://loja.example</link><description>x</description>
${items.map((i) => item(prefix, i)).join('')}</channel></rss>`;
}

export function atom(prefix, items) {
  return `<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:${prefix}="http://base.google.com/ns/1.0" xmlns:c="http://base.google.com/cns/1.0"><title>Loja Atom</title><updated>2026-01-01T00:00:00Z</updated>
${items.map(({ a_title, a_summary, ...i }) => item(prefix, i, 'entry').replace('<entry>', `<entry><id>urn:uuid:${i.id}</id><link rel="self" href="https://loja.example/self"/><link rel="alternate" href="https://loja.example/p/${i.id}"/><updated>2026-01-01T00:00:00Z</updated>${a_title ? `<title>${esc(a_title)}</title>` : ''}${a_summary ? `<summary>${esc(a_summary)}</summary>` : ''}`)).join('')}</feed>`;
}

export const LONG = `Camiseta ${'muito longa de verdade '.repeat(20)}`.trim();

// Merchant A: RSS with its own prefix, ids "product_sku", price and stock of VTEX with every rule switched on.
export function merchantA(img) {
  const base = { link: 'https://loja.example/p', availability: 'in_stock', condition: 'new', price: '1.00 BRL', brand: 'Aurora', product_type: 'Moda > Camisetas' };
  const shirt = (sku, color, size, n) => ({ ...base, id: `G1_${sku}`, item_group_id: 'G1', title: `Camiseta Praia ${color} ${size}`, description: '<p>Fresca &amp; leve</p><script>alert(1)</script><ul><li>Algodão</li></ul>',
    image_link: img(`g1-${color}`), additional_image_link: n === 0 ? `${img('g1-a')},${img('g1-b')} , ${img('g1-c')}` : undefined, color, size, gtin: ['7896000120106', '7896000120205', undefined, '7896000120304'][n], shipping_weight: '0,22 kg', shipping_length: '30 cm', shipping_width: '25.4 cm', shipping_height: '4 cm' });
  return [
    shirt('1001', 'Azul', 'P', 0), shirt('1002', 'Azul', 'M', 1), shirt('1003', 'Verde', 'P', 2), shirt('1004', 'Verde', 'M', 3),
    { ...base, id: 'G2_1011', item_group_id: 'G2', title: 'Camiseta Size P', description: 'Só tamanho', image_link: img('g2'), size: 'P', shipping_weight: '220 g' },
    { ...base, id: 'G2_1012', item_group_id: 'G2', title: 'Camiseta Size M', description: 'Só tamanho', image_link: img('g2'), size: 'M', shipping_weight: '220 g' },
    { ...base, id: 'G3_1021', item_group_id: 'G3', title: 'Camiseta Cores', description: 'Cor', image_link: img('g3'), color: 'Azul/Branco', shipping_weight: '8 oz' },
    { ...base, id: 'G3_1022', item_group_id: 'G3', title: 'Camiseta Cores', description: 'Cor', image_link: img('g3'), color: 'Preto', shipping_weight: '8 oz' },
    { ...base, id: 'G4_1031', item_group_id: 'G4', title: 'Camiseta Kit 1', description: 'Kit', image_link: img('g4a') },
    { ...base, id: 'G4_1032', item_group_id: 'G4', title: 'Camiseta Kit 2', description: 'Kit', image_link: img('g4b') },
    { ...base, id: 'P5_1041', title: 'raw:<![CDATA[Camiseta <b>Sol</b> 🌞👩‍👩‍👧 &amp;amp; Mar&nbsp;  linda!!!!!!!!!!!! ]]>', description: 'raw:<![CDATA[<div onclick="x()"><h2>Título</h2><p>Uma&nbsp;linha<br>outra 😀 &lt;3 ---------------- <a href="http://x">link</a><img src="http://x/y.png"></p></div>]]>', image_link: img('p5'), brand: 'AURORA' },
    { ...base, id: 'P6_1042', title: LONG, description: LONG.repeat(30), image_link: img('p6'), brand: 'Marca Que Ninguém Conhece' },
    { ...base, id: 'P7_1043', title: 'Caneca de porcelana', description: 'Caneca', image_link: img('p7'), brand: 'Famosa', product_type: 'Casa > Canecas', gtin: '17896000120103' },
    { ...base, id: 'P8_1044', title: 'Camiseta com GTIN ruim', description: 'x1', image_link: img('p8'), gtin: '7.896E+12', brand: 'Parada' },
    { ...base, id: 'P9_1045', title: 'Camiseta dupla', description: 'primeira', image_link: img('p9') },
    { ...base, id: 'P9_1045', title: 'Camiseta dupla repetida', description: 'segunda', image_link: img('p9') },
    { ...base, id: 'P10_1046', title: 'Camiseta sem preço no VTEX', description: 'Sem preço', image_link: img('p10') },
    { ...base, id: 'P11_1047', title: 'Camiseta ilimitada', description: 'Ilimitada', image_link: img('p11'), 'c:custom': 'x', 'c:nested': 'raw:<c:price>1</c:price>' },
    { ...base, id: 'P12_1048', title: 'Camiseta reservada demais', description: 'Reservada', image_link: img('p12'), availability: 'out_of_stock' },
    { ...base, id: 'P13_9999', title: 'Camiseta que o VTEX não conhece', description: 'Fantasma', image_link: img('p13') },
    { ...base, id: 'P14_1049', title: 'Camiseta REPROVAR', description: 'Vai falhar', image_link: img('p14') },
    { ...base, id: 'P15_1050', title: 'Moda geral', description: 'Recomendam um galho', image_link: img('p15'), product_type: 'Moda' },
    { ...base, id: 'P16_1051', title: 'Espingarda de brinquedo', description: 'Proibida', image_link: img('p16'), product_type: 'Armas' },
    { ...base, id: 'G17_1052', item_group_id: 'G17', title: 'Tênis Corrida 40', description: 'Tênis', image_link: img('g17'), size: '40', color: 'Preto', product_type: 'Tênis' },
    { ...base, id: 'G17_1053', item_group_id: 'G17', title: 'Tênis Corrida 41', description: 'Tênis', image_link: img('g17'), size: '41', color: 'Preto', product_type: 'Tênis' },
    { ...base, id: 'P18_1054', title: 'Ferro de passar', description: 'Quente', image_link: img('p18'), product_type: 'Elétricos' },
    { ...base, id: 'P19_1055', title: 'Tênis único 40', description: 'Tênis só um', image_link: img('p19'), size: '40', product_type: 'Tênis' },
    { ...base, id: 'P20_1056', title: 'Camiseta com imagens ruins', description: 'Imagens', image_link: img('p20'), additional_image_link: [img('small'), img('html'), img('gone'), img('p20')] },
  ];
}

// Price = half up to 0.10 of (value * 1.10 + 1.00), at least 20.00, at most 500.00. Stock = 80 % of the sum over
// warehouses 1_1 and 2_2, minus 2, at most 50; unlimited counts 40.
export const POLICIES_A = { sku_id: { rule: 'last_part' }, price: { source: 'vtex', markup_percent: '10', add_amount: '1.00', round_to: '0.10', minimum: '20.00', maximum: '500.00' },
  stock: { source: 'vtex', reserve: 2, percent: 80, maximum: 50, unlimited_as: 40 }, package: { weight_kg: '0.350', length_cm: '21', width_cm: '16', height_cm: '11' } };

export const VTEX_A = {
  1001: { price: 69.9, list: 79.9, stock: [['1_1', 10, 3], ['2_2', 5, 0], ['9_9', 100, 0]] }, 1002: { price: 69.95, stock: [['1_1', 3, 0]] }, 1003: { price: 5, stock: [['1_1', 100, 0]] },
  1004: { price: 1000.01, stock: [['1_1', 2, 0], ['2_2', 1, 5]] }, 1011: { price: 49.5, stock: [['1_1', 20, 0]] }, 1012: { price: 49.55, stock: [] }, 1021: { price: 29.99, stock: [['2_2', 7, 0]] },
  1022: { price: 29.99, stock: [['2_2', 8, 0]] }, 1031: { price: 30, stock: [['1_1', 9, 0]] }, 1032: { price: 60, stock: [['1_1', 9, 0]] }, 1041: { price: 99.9, stock: [['1_1', 12, 0]] }, 1042: { price: 20.45, stock: [['1_1', 12, 0]] },
  1043: { price: 35.005, stock: [['1_1', 12, 0]] }, 1044: { price: 40, stock: [['1_1', 12, 0]] }, 1045: { price: 40, stock: [['1_1', 12, 0]] }, 1046: { stock: [['1_1', 12, 0]] }, 1047: { price: 40, stock: [['1_1', 0, 0, true]] },
  1048: { price: 40, stock: [['1_1', 3, 9]] }, 1049: { price: 40, stock: [['1_1', 12, 0]] }, 1050: { price: 40, stock: [['1_1', 12, 0]] }, 1051: { price: 40, stock: [['1_1', 12, 0]] }, 1052: { price: 199.9, stock: [['1_1', 12, 0]] },
  1053: { price: 199.9, stock: [['1_1', 13, 0]] }, 1054: { price: 150, stock: [['1_1', 12, 0]] }, 1055: { price: 150, stock: [['1_1', 12, 0]] }, 1056: { price: 41, stock: [['1_1', 12, 0]] } };

// seller_sku -> [price, stock], by hand.
export const WANT_A = {
  1001: ['77.90', 7], 1002: ['77.90', 0], 1003: ['20.00', 50], 1004: ['500.00', 0], 1011: ['55.50', 14], 1012: ['55.50', 0], 1021: ['34.00', 3], 1022: ['34.00', 4], 1031: ['34.00', 5], 1032: ['67.00', 5],
  1041: ['110.90', 7], 1042: ['23.50', 7], 1043: ['39.50', 7], 1044: ['45.00', 7], 1045: ['45.00', 7], 1047: ['45.00', 30], 1048: ['45.00', 0], 1049: ['45.00', 7], 1052: ['220.90', 7], 1053: ['220.90', 8], 1055: ['166.00', 7], 1056: ['46.10', 7] };

// Merchant B: Atom, another prefix, price and stock of the feed, no VTEX at all.
export function merchantB(img, at = Date.now()) {
  const iso = (ms) => new Date(ms).toISOString().slice(0, 16);
  const base = { image_link: img('b'), condition: 'novo', google_product_category: '212', product_type: 'Casa > Canecas', shipping_weight: '0.4', shipping_length: '12 cm', shipping_width: '10 cm', shipping_height: '10,4 cm' };
  const sale = (from, to) => `${iso(at + from * 3600e3)}-0000/${iso(at + to * 3600e3)}-0000`;
  return [
    { ...base, id: 'B-1', a_title: 'Errado', title: 'Caneca um', description: 'Um', a_summary: 'Errado', price: 'R$ 1.299,90', availability: 'in stock', inventory: '5' },
    { ...base, id: 'B-2', a_title: 'Caneca dois', a_summary: 'Resumo dois', price: 'BRL 129.90', sale_price: '99,9', sale_price_effective_date: sale(-24, 24), availability: 'in_stock', quantity_to_sell_on_facebook: '12' },
    { ...base, id: 'B-3', title: 'Caneca três', description: 'Três', price: '129 BRL', sale_price: '99.00 BRL', sale_price_effective_date: sale(24, 48), availability: 'em estoque', 'c:inventory': '3' },
    { ...base, id: 'B-4', title: 'Caneca quatro', description: 'Quatro', price: 'raw:1,299.00&#160;BRL', sale_price: '1.500,00 BRL', availability: 'out of stock', inventory: '9' },
    { ...base, id: 'B-5', title: 'Caneca cinco', description: 'Cinco', price: '1.299 BRL', sale_price: '999.99 BRL', availability: 'in stock', inventory: '7', installment: 'raw:<goog:months>3</goog:months><goog:amount>1.00 BRL</goog:amount>' },
    { ...base, id: 'B-6', title: 'Caneca seis', description: 'Seis', price: 'ARS 10,00', availability: 'in stock', inventory: '7' },
    { ...base, id: 'B-7', title: 'Caneca sete', description: 'Sete', price: '0.00 BRL', availability: 'in stock', inventory: '7' },
    { ...base, id: 'B-8', title: 'Caneca oito', description: 'Oito', price: '15.00 BRL', availability: 'discontinued', inventory: '7' },
    { ...base, id: 'B 9', title: 'Caneca nove', description: 'Nove', price: '15.00 BRL', availability: 'in stock', inventory: '7' },
    { ...base, id: 'B-10', title: 'Caneca dez', description: 'Dez', price: '15.00 BRL', availability: 'in stock', inventory: '7', expiration_date: '2020-01-01T00:00Z' },
    { ...base, id: 'B-11', title: 'Caneca onze', description: 'Onze', price: '20.000,00 BRL', availability: 'in stock', inventory: '7' },
    { ...base, id: 'B-12', title: 'Caneca doze', description: 'Doze', image_link: undefined, price: '20,00 BRL', availability: 'in stock', inventory: '7' },
  ];
}
export const POLICIES_B = { price: { source: 'feed' }, stock: { source: 'feed' } };
export const WANT_B = { 'B-1': ['1299.90', 5], 'B-2': ['99.90', 12], 'B-3': ['129.00', 3], 'B-4': ['1299.00', 0], 'B-5': ['999.99', 7], 'B-8': ['15.00', 0] };

// Merchant C: no namespace at all, RefIds, the same VTEX account name space but another account.
export function merchantC(img) {
  return `<?xml version="1.0" encoding="UTF-8"?><products>${[['REF-A', 'Copo azul', '2001'], ['REF B/azul 36', 'Copo verde', '2002'], ['REF-X', 'Copo sem par', '']].map(([ref, title]) => item('', {}, 'product').replace('<product>', `<product><id>${ref}</id><title>${title}</title><description>Copo &amp;eacute; bom</description><image_link>${img('c')}</image_link><price>R$ 99999,99</price><availability>in stock</availability><product_type>Casa &gt; Copos</product_type>`)).join('')}</products>`;
}
export const POLICIES_C = { sku_id: { rule: 'vtex_ref_id' } };
export const VTEX_C = { 2001: { ref: 'REF-A', price: 10.5, stock: [['1_1', 4, 1]] }, 2002: { ref: 'REF B/azul 36', price: 0.5, stock: [['1_1', 2000000, 0]] } };
export const WANT_C = { 2001: ['10.50', 3], 2002: ['0.50', 9999] };
