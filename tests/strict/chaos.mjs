// chaos.mjs - a merchant's catalog that changes at random, platform answers that fail at random, and what must stand in
// TikTok Shop when all is over: worked out from the feed, not by any code of the connector.
import { rss } from './merchant.mjs';

// mulberry32: the same seed gives the same numbers.
export function generator(seed) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const upTo = (n) => Math.floor(next() * n);
  return { next, upTo, chance: (p) => next() < p, pick: (list) => list[upTo(list.length)] };
}

const COLORS = ['Azul', 'Verde', 'Preto', 'Branco', 'Vermelho', 'Amarelo', 'Cinza', 'Roxo'];
const SIZES = ['P', 'M', 'G', 'GG'];
const WORDS = ['Praia', 'Serra', 'Noite', 'Manhã', 'Feliz', 'Leve', 'Forte', 'Clássica', 'Nova', 'São João', 'Única', 'Macia'];
const MOST_SKUS = 6;

export class Catalog {
  constructor(random, products, img) {
    this.random = random;
    this.img = img;
    this.products = [];
    this.n = 0;
    for (let i = 0; i < products; i++) this.add();
  }

  words() { return Array.from({ length: 3 }, () => this.random.pick(WORDS)).join(' '); }
  price() { return `${10 + this.random.upTo(190)}.${String(this.random.upTo(100)).padStart(2, '0')}`; }
  picture() { return `f${this.random.upTo(40)}`; }

  add() {
    const id = `C${this.n++}`;
    const shirt = this.random.chance(0.4);
    const p = { id, shirt, title: `${shirt ? 'Camiseta' : 'Caneca'} ${this.words()} ${id}`, text: `Feita com cuidado ${this.words()}`, images: [this.picture()],
      weight: 200 + this.random.upTo(300), offered: true, skus: [], left: [] };
    this.products.push(p);
    for (let k = shirt ? 1 + this.random.upTo(3) : 1; k > 0; k--) this.variant(p);
    return p;
  }

  // A choice that no variant of the product ever had; null when there is none left.
  variant(p) {
    const seen = [...p.skus, ...p.left].map((s) => s.color + s.size);
    const free = p.shirt ? COLORS.flatMap((color) => SIZES.map((size) => ({ color, size }))).filter((c) => !seen.includes(c.color + c.size)) : [{}];
    if (seen.length >= MOST_SKUS || !free.length) return null;
    const s = { ...this.random.pick(free), id: `${p.id}-${seen.length}`, price: this.price(), stock: this.random.upTo(60) };
    p.skus.push(s);
    return s;
  }

  // One change of one product.
  change(p) {
    const { random } = this;
    const sku = random.pick(p.skus);
    const deeds = {
      price: () => { sku.price = this.price(); },
      stock: () => { sku.stock = random.chance(0.2) ? 0 : random.upTo(60); },
      title: () => { p.title = `${p.shirt ? 'Camiseta' : 'Caneca'} ${random.chance(0.15) ? 'REPROVAR ' : ''}${this.words()} ${p.id}`; },
      text: () => { p.text = `Feita com cuidado ${this.words()}`; },
      images: () => { p.images = [...new Set([this.picture(), this.picture(), this.picture()])].slice(0, 1 + random.upTo(3)); },
      weight: () => { p.weight = 200 + random.upTo(300); },
      variant: () => p.shirt && this.variant(p),
      leave: () => { if (p.skus.length > 1) p.left.push(...p.skus.splice(random.upTo(p.skus.length), 1)); },
      back: () => { if (p.left.length) p.skus.push(...p.left.splice(random.upTo(p.left.length), 1)); },
    };
    deeds[random.pick(['price', 'price', 'price', 'stock', 'stock', 'stock', 'title', 'text', 'images', 'weight', 'variant', 'leave', 'back'])]();
  }

  // What one day changes.
  step() {
    const { random } = this;
    const on = this.products.filter((p) => p.offered);
    const off = this.products.filter((p) => !p.offered);
    for (const p of on) for (let k = random.chance(0.5) ? 1 + random.upTo(3) : 0; k > 0; k--) this.change(p);
    for (let k = random.upTo(4); k > 0; k--) random.pick(on).offered = false;
    for (let k = random.upTo(4); k > 0 && off.length; k--) { const p = random.pick(off); p.offered = true; if (random.chance(0.5)) this.change(p); }
    for (let k = random.upTo(3); k > 0; k--) this.add();
  }

  // Nothing that a review refuses is left.
  calm() { for (const p of this.products) p.title = p.title.replace('REPROVAR ', ''); }

  feed() {
    return rss('g', this.products.filter((p) => p.offered).flatMap((p) => p.skus.map((s) => ({ id: s.id, item_group_id: p.shirt ? p.id : undefined, title: p.title, description: p.text, link: 'https://loja.example/p',
      image_link: this.img(p.images[0]), additional_image_link: p.images.slice(1).map((x) => this.img(x)), availability: s.stock ? 'in stock' : 'out of stock', price: `${s.price} BRL`, inventory: String(s.stock),
      product_type: p.shirt ? 'Moda > Camisetas' : 'Casa > Canecas', shipping_weight: `${p.weight} g`, color: s.color, size: s.size }))));
  }

  // What the shop holds against what the feed says; one line for each difference.
  differences(tiktok, shop, hashOf) {
    const out = [];
    const held = [...tiktok.products.values()].filter((p) => p.shop === shop && p.status !== 'DELETED');
    const by = (what, keys) => {
      const seen = new Map();
      for (const p of held) for (const k of keys(p)) seen.set(k, [...(seen.get(k) ?? []), p.id]);
      for (const [k, ids] of seen) if (new Set(ids).size > 1) out.push(`${what} ${k} stands in ${ids.length} products`);
      return seen;
    };
    by('seller SKU', (p) => p.skus.map((s) => s.seller_sku));
    const known = by('external id', (p) => [p.external_product_id]);
    for (const [id] of known) if (!this.products.some((p) => this.sourceId(p) === id)) out.push(`nobody offers ${id}`);
    for (const p of this.products) {
      const t = held.find((x) => x.external_product_id === this.sourceId(p));
      if (!p.offered) { if (t && t.status !== 'SELLER_DEACTIVATED') out.push(`${p.id} is not offered and ${t.status}`); } else if (!t) out.push(`${p.id} is missing`); else out.push(...this.compare(p, t, tiktok, hashOf));
    }
    return out;
  }

  sourceId(p) { return p.shirt ? p.id : p.skus[0].id; }

  compare(p, t, tiktok, hashOf) {
    const out = [];
    const check = (what, got, want) => { if (JSON.stringify(got) !== JSON.stringify(want)) out.push(`${p.id}: ${what} is ${JSON.stringify(got)}, the feed says ${JSON.stringify(want)}`); };
    check('status', [t.status, t.audit, Boolean(t.pending)], ['ACTIVATE', 'APPROVED', false]);
    check('title', t.title, p.title);
    check('description', t.description, `<p>${p.text}</p>`);
    check('pictures', t.main_images.map((i) => tiktok.images.get(i.uri).hash), p.images.map(hashOf));
    check('weight', Number(t.package_weight.value) * (t.package_weight.unit === 'GRAM' ? 1 : 1000), p.weight);
    const skuOf = (id) => t.skus.filter((s) => s.seller_sku === id);
    for (const s of p.skus) {
      check(`number of ${s.id}`, skuOf(s.id).length, 1);
      for (const x of skuOf(s.id)) {
        check(`price and stock of ${s.id}`, [Number(x.price.amount).toFixed(2), x.inventory.reduce((a, i) => a + i.quantity, 0)], [s.price, s.stock]);
        const got = (x.sales_attributes ?? []).map((a) => a.value_name ?? (a.value_id === '1' ? 'Azul' : a.value_id));
        const told = ['color', 'size'].filter((k) => p.skus.some((y) => y[k] !== s[k])).map((k) => s[k]); // what all share need not be said, nor what one that left never said
        check(`choices of ${s.id}`, [t.skus.length > p.skus.length ? [] : told.filter((v) => !got.includes(v)), got.filter((v) => ![s.color, s.size].includes(v))], [[], []]);
      }
    }
    // A variant that left stays without stock, or was never there.
    for (const s of p.left) for (const x of skuOf(s.id)) check(`stock of ${s.id}, which left`, x.inventory.map((i) => i.quantity), [0]);
    check('other SKUs', t.skus.map((s) => s.seller_sku).filter((id) => ![...p.skus, ...p.left].some((s) => s.id === id)), []);
    return out;
  }
}

// Answers that fail at random. A write that was done though its answer was lost may come again.
export class Trouble {
  constructor(random, share) {
    this.random = random;
    this.share = share;
    this.on = false;
    this.counts = {};
  }

  of(name) {
    if (!this.on || !this.random.chance(this.share)) return undefined;
    const write = /^(create|partial|update|upload|activate|deactivate)/.test(name);
    const kind = this.random.pick(['429', '503', 'internal', 'cut', ...(write ? ['done-then-internal', 'done-then-cut', 'done-then-cut'] : [])]);
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    return kind;
  }
}

// Calls that wrote what stood there already: rightly only when an answer about the same product, or picture, was lost.
export class Needless {
  constructor() {
    this.unsure = new Map(); // product or picture -> its next repeat is forgiven
    this.found = [];
    this.sent = new Set();
  }

  forgive(key) { this.unsure.set(key, true); }

  // Of all that is on its way when the connector dies.
  forgiveAll(tiktok) {
    this.calls = tiktok.calls.length;
    for (const p of tiktok.products.keys()) this.forgive(p);
    for (const key of this.sent) this.forgive(key);
  }

  judge(call) {
    if (call.image) {
      const key = `${call.image.hash} ${call.image.useCase}`;
      if (this.sent.has(key) && !this.unsure.delete(key)) this.found.push(`picture ${key} again`);
      this.sent.add(key);
      if (call.fault) this.forgive(key);
      return;
    }
    for (const [id, before] of Object.entries(call.before ?? {})) {
      if (before === call.after[id] && !this.unsure.delete(id)) this.found.push(`${call.name} of ${id}: ${call.body.toString().slice(0, 300)}`);
      if (call.fault) this.forgive(id);
    }
  }
}
