/* words_feed.c - Portuguese for what the reading of a feed says of a product (problem_words.h). */
#include "problem_words.h"

const struct problem_word WORDS_FEED[] = {
    { "Item %s: %s", "Item %s: %s" },
    { "Item %s: the item has no price", "Item %s: o item não tem preço" },
    { "Item %s: the rule %s gives no SKU id of 1 to 50 characters without blanks",
      "Item %s: a regra %s não dá um código de SKU de 1 a 50 caracteres sem espaços" },
    { "Item %s: SKU %s is there twice; the first item counts",
      "Item %s: o SKU %s aparece duas vezes; vale o primeiro item" },
    { "SKU %s belongs to another product of the feed",
      "O SKU %s pertence a outro produto do feed" },
    { "The group has more than %d variants: TikTok takes no more, so it is not sent",
      "O grupo tem mais de %d variantes: o TikTok não aceita mais, por isso ele não é enviado" },
    { "add a price to the item in the feed", "informe o preço do item no feed" },
    { "correct the item in the feed", "corrija o item no feed" },
    { "correct the item or choose another sku_id rule",
      "corrija o item ou escolha outra regra de sku_id" },
    { "give each variant its own id", "dê a cada variante o seu próprio id" },
    { "split the group in the feed", "divida o grupo no feed" },

    /* what the reading of an item says inside "Item %s: %s" */
    { "the item has no title", "o item não tem título" },
    { "the price \"%s\" cannot be used: %s", "o preço \"%s\" não pode ser usado: %s" },
    { "the sale price \"%s\" is ignored: %s", "o preço promocional \"%s\" é ignorado: %s" },
    { "the sale price is not lower than the price: ignored",
      "o preço promocional não é menor que o preço: ignorado" },
    { "the dates \"%s\" are no interval: the sale price is ignored",
      "as datas \"%s\" não formam um intervalo: o preço promocional é ignorado" },
    { "the weight \"%s\" cannot be used", "o peso \"%s\" não pode ser usado" },
    { "the item has no usable image address", "o item não tem endereço de imagem utilizável" },
    { "no amount", "sem valor" },
    { "\"%.60s\" is not an amount", "\"%.60s\" não é um valor" },
    { "\"%.60s\" is not an amount in %s", "\"%.60s\" não é um valor em %s" },
    { "\"%.60s\" is not a positive amount", "\"%.60s\" não é um valor positivo" },
    { "\"%.60s\" is not a decimal amount", "\"%.60s\" não é um valor decimal" },
    { "amount out of range", "valor fora da faixa" },
    { 0 },
};
