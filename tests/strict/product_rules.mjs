// product_rules.mjs - what TikTok Shop says no to in a product: guide section 9 to 11 and the operation's errors.
const EU_OR_US = ['manufacturer_ids', 'responsible_person_ids', 'replicated_products', 'subscribe_info_edit', 'minimum_order_quantity'];
const TAGS = new Set(['p', 'br', 'ul', 'ol', 'li', 'b', 'strong', 'i', 'em', 'u', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'div', 'span', 'img', 'table', 'tbody', 'tr', 'td', 'th', 'thead']);

export function badText(text, html = false) {
  const plain = html ? text.replace(/<[^<>]*>/g, ' ') : text;
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return 'a control character';
  if (/\p{Extended_Pictographic}/u.test(plain.replace(/[0-9#*©®™]/gu, ''))) return 'an emoji';
  if (/[\u200d\ufe0f\u20e3]|\p{Regional_Indicator}|\p{Emoji_Modifier}/u.test(plain)) return 'the rest of an emoji';
  if (/&(#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);/i.test(text)) return `an HTML escape ${/&[^;]{1,10};/.exec(text)}`;
  if (/(\S)\1{9}/u.test(plain)) return 'ten equal characters in a row';
  if (!/[\p{L}\p{N}]/u.test(plain)) return 'only symbols';
  if (!html && /<\/?[a-z][^>]*>/i.test(text)) return 'a tag';
  return null;
}

// img tags: uploaded for the description, src with width and height as uploaded and nothing else.
function descriptionImages(tt, text, out) {
  const tags = [...text.matchAll(/<img\b([^<>]*)>/gi)].map((m) => m[1]);
  if (tags.length > 30) out.push({ code: 12052341, message: `${tags.length} images in the description` });
  for (const tag of tags) {
    const a = Object.fromEntries([...tag.matchAll(/([a-z-]+)="([^"]*)"/gi)].map((m) => [m[1].toLowerCase(), m[2]]));
    const img = [...tt.images.values()].find((x) => x.url === a.src && x.use_case === 'DESCRIPTION_IMAGE');
    if (!img) out.push({ code: 12052340, message: `an image in the description that nobody uploaded: ${tag}` });
    else if (Number(a.width) !== img.width || Number(a.height) !== img.height) out.push({ code: 12052348, message: `size of a description image: ${tag}` });
    if (Object.keys(a).sort().join() !== 'height,src,width') out.push({ code: 12052350, message: `attributes of a description image: ${tag}` });
  }
}

function texts(tt, json, out) {
  if (json.title !== undefined) {
    const n = [...json.title].length;
    if (n < 1 || n > 300) out.push({ code: 12052051, message: `title of ${n}` });
    const b = badText(json.title);
    if (b) out.push({ code: 12052931, message: `title has ${b}: ${JSON.stringify(json.title)}` });
    if (json.title !== json.title.trim() || / {2}/.test(json.title)) out.push({ code: 12052931, message: `title has stray blanks: ${JSON.stringify(json.title)}` });
  }
  if (json.description !== undefined) {
    if (!json.description.trim()) out.push({ code: 12052015, message: 'description is empty' });
    if ([...json.description].length > 10000) out.push({ code: 12052013, message: 'description too long' });
    const b = badText(json.description, true);
    if (b) out.push({ code: 12052932, message: `description has ${b}: ${JSON.stringify(json.description.slice(0, 200))}` });
    const open = [];
    for (const m of json.description.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*?)(\/?)>/g)) {
      const tag = m[2].toLowerCase();
      if (!TAGS.has(tag)) out.push({ code: 12052345, message: `tag ${tag} in the description` });
      if (m[3].trim() && tag !== 'img') out.push({ code: 12052350, message: `attribute ${m[3]}` });
      if (tag === 'br' || tag === 'img' || m[4]) continue;
      if (!m[1]) open.push(tag); else if (open.pop() !== tag) out.push({ code: 12052344, message: `</${tag}> closes nothing: ${json.description.slice(0, 200)}` });
    }
    if (open.length) out.push({ code: 12052344, message: `${open} stays open` });
    if (/[<>]/.test(json.description.replace(/<\/?[a-zA-Z][^<>]*>/g, ''))) out.push({ code: 12052344, message: 'a bare < or >' });
    descriptionImages(tt, json.description, out);
  }
}

export function gtinDigit(code) {
  const d = [...code].map(Number);
  const last = d.pop();
  return (10 - (d.reverse().reduce((a, x, i) => a + x * (i % 2 ? 1 : 3), 0) % 10)) % 10 === last;
}

function price(p, out) {
  if (p.amount === undefined) out.push({ code: 12052073, message: 'price without amount' });
  else if (!/^(0|[1-9]\d*)(\.\d{1,2})?$/.test(p.amount)) out.push({ code: 12052073, message: `price ${p.amount}` });
  else if (Number(p.amount) < 0.5 || Number(p.amount) > 10000) out.push({ code: 12052570, message: `price ${p.amount} out of 0.50 to 10000` });
  if (p.currency !== 'BRL') out.push({ code: 12052084, message: `currency ${p.currency}` });
  if (p.sale_price !== undefined) out.push({ code: 12052092, message: 'sale_price is for global sellers' });
}

function stock(shop, list, out) {
  const seen = new Set();
  if (!list.length) out.push({ code: 12052055, message: 'no inventory' });
  for (const i of list) {
    const w = shop.warehouses.find((x) => x.id === i.warehouse_id);
    if (!w) out.push({ code: 12052097, message: `warehouse ${i.warehouse_id}` });
    else if (w.type !== 'SALES_WAREHOUSE') out.push({ code: 12052532, message: 'a return warehouse' });
    else if (w.effect_status !== 'ENABLED') out.push({ code: 12052531, message: 'a disabled warehouse' });
    if (!Number.isInteger(i.quantity) || i.quantity < 0 || i.quantity > 99999) out.push({ code: 12052055, message: `quantity ${i.quantity}` });
    if (seen.has(i.warehouse_id)) out.push({ code: 12052055, message: 'a warehouse twice' });
    seen.add(i.warehouse_id);
  }
}

function attributes(tt, category, list, out) {
  const defs = (tt.attributes[category] ?? []).filter((a) => a.type === 'PRODUCT_PROPERTY');
  const chosen = new Map();
  for (const a of list) {
    const def = defs.find((d) => d.id === a.id);
    if (!def) { out.push({ code: 12052254, message: `attribute ${a.id} is not of category ${category}` }); continue; }
    if (chosen.has(a.id)) out.push({ code: 12052254, message: `attribute ${a.id} twice` });
    if (!a.values.length) out.push({ code: 12052248, message: `attribute ${a.id} without value` });
    if (a.values.length > 1 && !def.is_multiple_selection) out.push({ code: 12052246, message: `several values of ${def.name}` });
    for (const v of a.values) {
      if (v.id !== undefined) { if (!(def.values ?? []).some((x) => x.id === v.id)) out.push({ code: 12052529, message: `value ${v.id} of ${def.name}` }); continue; }
      if (!v.name) { out.push({ code: 12052248, message: `empty value of ${def.name}` }); continue; }
      if (!def.is_customizable) out.push({ code: 12052247, message: `free text for ${def.name}` });
      if ([...v.name].length > 2000 || badText(v.name)) out.push({ code: 12052935, message: `value ${v.name}` });
      if (def.value_data_format === 'POSITIVE_INT_OR_DECIMAL' && !/^\d+(\.\d+)?$/.test(v.name)) out.push({ code: 12052256, message: `${def.name} is ${v.name}` });
    }
    chosen.set(a.id, a.values.map((v) => v.id));
  }
  for (const d of defs) {
    const asked = d.is_requried || (d.requirement_conditions ?? []).some((c) => (chosen.get(c.attribute_id) ?? []).includes(c.attribute_value_id));
    if (asked && !chosen.has(d.id)) out.push({ code: 12052104, message: `property ${d.name} is required` });
  }
}

function skus(tt, shop, category, list, out, { fresh, product }) {
  const defs = (tt.attributes[category] ?? []).filter((a) => a.type === 'SALES_PROPERTY');
  if (!list.length || list.length > 300) out.push({ code: 12052050, message: `${list.length} SKUs` });
  const kinds = new Set();
  const combos = new Set();
  const sellers = new Set();
  const codes = new Set();
  const pictured = new Set();
  const values = new Map();
  for (const s of list) {
    if (s.seller_sku === undefined || /\s/.test(s.seller_sku)) out.push({ code: 12052054, message: `seller_sku ${s.seller_sku}` });
    if (sellers.has(s.seller_sku)) out.push({ code: 12052054, message: `seller_sku ${s.seller_sku} twice` });
    sellers.add(s.seller_sku);
    const old = s.id !== undefined && product?.skus.find((x) => x.id === s.id);
    if (s.id !== undefined && !old) out.push({ code: 12052910, message: `SKU id ${s.id} is not of the product` });
    if (fresh || !old) { if (!s.price) out.push({ code: 12052073, message: 'a new SKU without price' }); if (!s.inventory) out.push({ code: 12052055, message: 'a new SKU without inventory' }); }
    if (s.price) price(s.price, out);
    if (s.inventory) stock(shop, s.inventory, out);
    for (const k of ['list_price', 'external_list_prices', 'sku_unit_count', 'extra_identifier_codes', 'pre_sale', 'fees', 'combined_skus']) if (s[k] !== undefined) out.push({ code: 12052376, message: `${k} is not for a Brazilian SKU` });
    if (s.identifier_code) {
      const { code, type } = s.identifier_code;
      const good = { GTIN: /^\d{14}$/, EAN: /^(\d{8}|\d{13}|\d{14})$/, UPC: /^\d{12}$/, ISBN: /^(\d{13}|\d{9}X)$/, JAN: /^(\d{8}|\d{13})$/ }[type];
      if (!good) out.push({ code: 12052600, message: 'identifier without type' });
      else if (!good.test(code)) out.push({ code: 12052591, message: `${type} ${code}` });
      else if (!gtinDigit(code)) out.push({ code: 12052591, message: `check digit of ${code}` });
      if (codes.has(code)) out.push({ code: 12052592, message: `identifier ${code} twice` });
      codes.add(code);
      if (old && JSON.stringify(old.identifier_code) !== JSON.stringify(s.identifier_code)) out.push({ code: 12052592, message: 'identifier changed after the draft' });
    }
    const attrs = s.sales_attributes ?? [];
    if (attrs.length > 3) out.push({ code: 12052525, message: 'more than three sales attributes' });
    if (list.length > 1 && !attrs.length) out.push({ code: 12052550, message: `SKU ${s.seller_sku} of several without sales attributes` });
    const mine = [];
    for (const a of attrs) {
      const def = a.id === undefined ? null : defs.find((d) => d.id === a.id);
      if (a.id !== undefined && !def) out.push({ code: 12052527, message: `sales attribute ${a.id}` });
      if (a.id === undefined && (!a.name || [...a.name].length > 20 || badText(a.name))) out.push({ code: 12052933, message: `sales attribute name ${a.name}` });
      if (a.value_id !== undefined) { if (!def || !(def.values ?? []).some((v) => v.id === a.value_id)) out.push({ code: 12052529, message: `sales value ${a.value_id}` }); } else {
        if (!a.value_name || [...a.value_name].length > 50 || badText(a.value_name)) out.push({ code: 12052934, message: `sales value ${JSON.stringify(a.value_name)}` });
        if (def && def.is_customizable === false) out.push({ code: 12052240, message: `free value ${a.value_name} for ${def.name}` });
      }
      const kind = `${a.id !== undefined ? `id:${a.id}` : `name:${a.name}`}/${a.value_id !== undefined ? 'value_id' : 'value_name'}`;
      const value = a.value_id ?? a.value_name?.toLowerCase();
      mine.push(kind);
      if (a.supplementary_sku_images) out.push({ code: 12052356, message: 'supplementary images outside the US' });
      if (a.sku_img) {
        pictured.add(kind);
        const img = tt.images.get(a.sku_img.uri);
        if (!img) out.push({ code: 12052520, message: `image ${a.sku_img.uri} was not uploaded` });
        else if (img.use_case !== 'ATTRIBUTE_IMAGE') out.push({ code: 12052520, message: `sku_img uploaded as ${img.use_case}` });
      }
      const seen = values.get(kind) ?? new Map();
      seen.set(value, Boolean(a.sku_img) || (seen.get(value) ?? false));
      values.set(kind, seen);
    }
    kinds.add(JSON.stringify(mine.sort()));
    const combo = JSON.stringify(attrs.map((a) => [a.id ?? a.name, a.value_id ?? a.value_name?.toLowerCase()]).sort());
    if (combos.has(combo) && list.length > 1) out.push({ code: 12052560, message: `two SKUs with ${combo}` });
    combos.add(combo);
    for (const d of defs.filter((x) => x.is_requried)) if (!attrs.some((a) => a.id === d.id)) out.push({ code: 12052550, message: `SKU ${s.seller_sku} without ${d.name}` });
  }
  if (kinds.size > 1) out.push({ code: 12052550, message: `SKUs with different attributes or forms: ${[...kinds].join(' | ')}` });
  if (pictured.size > 1) out.push({ code: 12052528, message: 'images on two attributes' });
  for (const k of pictured) if ([...values.get(k).values()].includes(false)) out.push({ code: 12052522, message: `a value of ${k} without image` });
}

function common(tt, shop, category, json, out) {
  texts(tt, json, out);
  for (const k of EU_OR_US) if (json[k] !== undefined) out.push({ code: 12052910, message: `${k} is not for Brazil` });
  if (json.main_images) {
    if (!json.main_images.length || json.main_images.length > 9) out.push({ code: 12052306, message: `${json.main_images.length} images` });
    if (new Set(json.main_images.map((i) => i.uri)).size !== json.main_images.length) out.push({ code: 12052306, message: 'an image twice' });
    for (const i of json.main_images) {
      const img = tt.images.get(i.uri);
      if (!img) out.push({ code: 12052300, message: `image ${i.uri} was not uploaded` });
      else if (img.use_case !== 'MAIN_IMAGE') out.push({ code: 12052300, message: `main image uploaded as ${img.use_case}` });
    }
  }
  if (json.package_weight) {
    const { value, unit } = json.package_weight;
    const good = { KILOGRAM: /^\d+(\.\d{1,3})?$/, GRAM: /^\d+$/ }[unit];
    if (!good?.test(value)) out.push({ code: 12019011, message: `weight ${value} ${unit}` });
    else if (Number(value) <= 0) out.push({ code: 12052181, message: 'weight 0' });
  }
  if (json.package_dimensions) {
    const { length, width, height, unit } = json.package_dimensions;
    if (unit !== 'CENTIMETER') out.push({ code: 12019061, message: `unit ${unit}` });
    for (const d of [length, width, height]) if (!/^[1-9]\d*$/.test(d)) out.push({ code: 12052116, message: `dimension ${d}` });
  } else if (tt.rules[category]?.package_dimension?.is_required && json.package_weight) out.push({ code: 12052116, message: 'dimensions are required' });
  if (json.brand_id !== undefined) {
    const b = [...tt.brands, ...tt.customBrands].find((x) => x.id === json.brand_id);
    if (!b) out.push({ code: 12052026, message: `brand ${json.brand_id}` });
    else if (b.authorized_status !== 'AUTHORIZED' && b.is_t1_brand) out.push({ code: 12052201, message: `brand ${b.name} needs authorization` });
    else if (b.brand_status === 'UNAVAILABLE') out.push({ code: 12052200, message: `brand ${b.name} is unavailable` });
  }
  if (json.is_cod_allowed && !tt.rules[category]?.cod?.is_supported) out.push({ code: 12052222, message: 'category does not support COD' });
  if (json.product_attributes) attributes(tt, category, json.product_attributes, out);
}

export function judgeCreate(tt, shop, json, product) {
  const out = [];
  const c = tt.categories.find((x) => x.id === json.category_id);
  if (!c) return [{ code: 12052023, message: `category ${json.category_id}` }];
  if (!c.is_leaf) return [{ code: 12052024, message: `category ${json.category_id} is no leaf` }];
  if (!c.permission_statuses.includes('AVAILABLE')) return [{ code: 12052220, message: `category ${json.category_id} is ${c.permission_statuses}` }];
  if (json.category_version === 'v2') out.push({ code: 12052217, message: 'category_version v2 outside the US' });
  common(tt, shop, json.category_id, json, out);
  if (!json.product_attributes) attributes(tt, json.category_id, [], out);
  skus(tt, shop, json.category_id, json.skus, out, { fresh: !product, product });
  return out;
}

export function judgeEdit(tt, shop, product, json) {
  const out = [];
  common(tt, shop, product.category_id, json, out);
  if (json.skus) skus(tt, shop, product.category_id, json.skus, out, { fresh: false, product: { ...product, ...product.pending } });
  return out;
}

export function judgePrices(product, json) {
  const out = [];
  if (!json.skus.length) out.push({ code: 12052910, message: 'no SKUs' });
  for (const s of json.skus) {
    if (!product.skus.some((x) => x.id === s.id)) out.push({ code: 12052901, message: `SKU ${s.id} is not of the product` });
    price(s.price, out);
  }
  return out;
}

export function judgeStock(shop, product, json) {
  const out = [];
  if (!json.skus.length) out.push({ code: 12052910, message: 'no SKUs' });
  for (const s of json.skus) {
    const sku = product.skus.find((x) => x.id === s.id);
    if (!sku) { out.push({ code: 12052901, message: `SKU ${s.id} is not of the product` }); continue; }
    const have = sku.inventory.map((i) => i.warehouse_id).sort();
    const sent = s.inventory.map((i) => i.warehouse_id ?? have[0]).sort();
    if (JSON.stringify(have) !== JSON.stringify(sent)) out.push({ code: 12019028, message: `warehouses ${sent}, the SKU has ${have}` });
    stock(shop, s.inventory.map((i) => ({ ...i, warehouse_id: i.warehouse_id ?? have[0] })), out);
  }
  return out;
}
