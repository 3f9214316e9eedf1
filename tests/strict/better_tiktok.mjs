// better_tiktok.mjs - what TikTok Shop proposes to make listings better, as the contract words it. The scope that the
// operations need is misspelt in the contract too.
import { randomBytes } from 'node:crypto';
import { TikTok } from './tiktok.mjs';

export const OPTIMIZE_SCOPE = 'serller.product.optimize';

const ids = (q) => q.product_ids.split(',');

// Only live products of the shop are answered; one bad id spoils the whole question.
function asked(judge, { q, shop, wrong }, most) {
  const list = ids(q);
  if (list.length > most) { wrong(`${list.length} products at once`); return [null, judge.answer(12019120, 'The number of provided product IDs exceeds the limit.')]; }
  if (new Set(list).size !== list.length) wrong('a product is asked about twice');
  const found = list.map((id) => judge.products.get(id));
  if (found.some((p) => !p || p.shop !== shop.id || p.status === 'DELETED')) return [null, judge.answer(12052260, 'The product ID does not exist')];
  for (const p of found) if (p.status !== 'ACTIVATE') wrong(`asked about ${p.id} that is ${p.status}`);
  return [found, null];
}

Object.assign(TikTok.prototype, {
  // What is proposed; a scenario may replace any of them.
  better: { title: (p) => `${p.title} Artesanal de Porcelana`, description: (p) => `${p.description}<p>Feita à mão.</p>`, words: () => ['caneca', 'porcelana'], image: () => 'SUCCESS' },

  whiten(uri) {
    const from = this.images.get(uri);
    const made = `tos-maliva-i-white/${randomBytes(8).toString('hex')}`;
    this.images.set(made, { ...from, white: uri });
    return made;
  },

  diagnose(p) {
    return [{ field: 'TITLE', diagnosis_results: [{ code: 'TITLE_LESS_THAN_40_CHARACTERS', how_to_solve: 'Names must be at least 40 characters long.', quality_tier: 'FAIR' }],
      suggestion: { seo_words: [], smart_texts: [{ text: this.better.title(p) }], images: [] } },
    { field: 'MAIN_IMAGE', diagnosis_results: [{ code: 'IMAGE_FEWER_THAN_5', how_to_solve: 'Add more pictures.' }], suggestion: null, extra: 1 }];
  },

  product_information_issue_diagnosis(r) {
    const [found, no] = asked(this, r, 200);
    return no ?? this.answer(0, 'Success', { products: found.map((p) => ({ id: p.id, listing_quality: { current_tier: 'POOR', remaining_recommendations: 2 }, diagnoses: this.diagnose(p) })).reverse() });
  },

  get_products_seo_words(r) {
    const [found, no] = asked(this, r, 20);
    return no ?? this.answer(0, 'Success', { products: found.map((p) => ({ id: p.id, seo_words: this.better.words(p).map((text) => ({ text })) })) });
  },

  get_recommended_product_title_and_description(r) {
    const [found, no] = asked(this, r, 20);
    return no ?? this.answer(0, 'Success', { products: found.map((p) => ({ id: p.id, suggestions: [{ field: 'TITLE', items: [{ text: this.better.title(p) }] },
      { field: 'DESCRIPTION', items: [{ text: this.better.description(p) }] }] })) });
  },

  optimized_images({ json, wrong }) {
    const list = json.images ?? [];
    if (!list.length || list.length > 200) { wrong(`${list.length} pictures`); return this.answer(12038007, 'The number of image URIs exceeded the limit of 200.'); }
    for (const i of list) {
      if (!i.uri || !this.images.has(i.uri)) { wrong(`picture ${i.uri} was not uploaded`); return this.answer(12052722, 'The image URI does not exist in TikTok Shop.'); }
      if (JSON.stringify(i.optimization_mode) !== '["WHITE_BACKGROUND"]') { wrong(`mode ${i.optimization_mode}`); return this.answer(12019070, 'The optimization mode is invalid.'); }
    }
    return this.answer(0, 'Success', { images: list.map((i) => {
      const status = this.better.image(i.uri);
      const made = status === 'SUCCESS' ? this.whiten(i.uri) : '';
      return { height: 400, width: 400, original_uri: i.uri, original_url: `https://p16.example/${i.uri}`, optimized_uri: made, optimized_url: made && `https://p16.example/${made}`, optimize_status: status };
    }) });
  },

  diagnose_and_optimize_product({ json, shop, wrong }) {
    const p = json.product_id && this.products.get(json.product_id);
    if (json.product_id && (!p || p.shop !== shop.id)) { wrong(`product ${json.product_id}`); return this.answer(12052260, 'The product ID does not exist'); }
    if (!this.categories.some((c) => c.id === json.category_id && c.is_leaf)) wrong(`category ${json.category_id}`);
    for (const i of json.main_images ?? []) if (!this.images.has(i.uri)) wrong(`picture ${i.uri} was not uploaded`);
    return this.answer(0, 'Success', { listing_quality: null, diagnoses: this.diagnose({ title: json.title, description: json.description }) });
  },
});
