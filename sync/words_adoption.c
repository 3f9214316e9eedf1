/* words_adoption.c - Portuguese for products that stood on TikTok already (problem_words.h). */
#include "problem_words.h"

const struct problem_word WORDS_ADOPTION[] = {
    { "Delete the products that are too many in Seller Center, or take the SKU codes off them; the "
      "product is linked then.",
      "Exclua os produtos a mais no Seller Center ou tire deles os códigos de SKU; então o produto "
      "será vinculado." },
    { "Several products on TikTok match this one: %.1500s.",
      "Vários produtos no TikTok correspondem a este: %.1500s." },
    { "Give each SKU code to one product only, in the feed and in Seller Center.",
      "Use cada código de SKU em um só produto, no feed e no Seller Center." },
    { "The TikTok product %s (%s) matches this product, but \"%.100s\" is linked to it.",
      "O produto %s (%s) do TikTok corresponde a este produto, mas \"%.100s\" está vinculado a ele." },
    { "The TikTok product %s (%s) matches this product and \"%.100s\" as well.",
      "O produto %s (%s) do TikTok corresponde a este produto e também a \"%.100s\"." },
    { "Activate the product in Seller Center or here when it is to be sold.",
      "Ative o produto no Seller Center ou aqui quando ele puder ser vendido." },
    { "The product was off sale on TikTok when it was linked, and stays so.",
      "O produto estava fora de venda no TikTok quando foi vinculado e continua assim." },
    { "Give the SKUs on TikTok the same kinds of choices as the feed, or add the SKU in Seller "
      "Center.",
      "Dê aos SKUs no TikTok os mesmos tipos de variação do feed ou adicione o SKU no Seller "
      "Center." },
    { "The SKU cannot be added: the product on TikTok tells its SKUs apart by other choices than "
      "the feed.",
      "O SKU não pode ser adicionado: o produto no TikTok distingue os SKUs por variações "
      "diferentes das do feed." },
    { 0 },
};
