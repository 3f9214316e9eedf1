/* words_review.c - Portuguese for what TikTok's review says of a product (problem_words.h). */
#include "problem_words.h"

const struct problem_word WORDS_REVIEW[] = {
    { "Correct the product in the feed; it is sent again then.",
      "Corrija o produto no feed; então ele será enviado de novo." },
    { "TikTok's review refused the product: %s", "A análise do TikTok recusou o produto: %s" },
    { "no reason given.", "sem motivo informado." },
    { "Look at the product in Seller Center, correct it in the feed.",
      "Veja o produto no Seller Center e corrija-o no feed." },
    { "TikTok's review refused the product without a reason.",
      "A análise do TikTok recusou o produto sem informar o motivo." },
    { "Complete the shop's verification in Seller Center.",
      "Conclua a verificação da loja no Seller Center." },
    { "The product passed the review but is not listed yet. %s",
      "O produto passou na análise, mas ainda não está à venda. %s" },
    { "Look at the product in Seller Center.", "Veja o produto no Seller Center." },
    { "TikTok took the product off sale.", "O TikTok tirou o produto de venda." },
    { "Appeal in Seller Center.", "Recorra no Seller Center." },
    { "TikTok froze the product.", "O TikTok congelou o produto." },
    { "Look at the product in Seller Center; ask for it again once the cause is gone.",
      "Veja o produto no Seller Center; peça de novo quando a causa estiver resolvida." },
    { "TikTok did not take the product off sale: %s", "O TikTok não tirou o produto de venda: %s" },
    { "TikTok did not put the product on sale again: %s",
      "O TikTok não colocou o produto à venda de novo: %s" },
    { "TikTok did not delete the product: %s", "O TikTok não excluiu o produto: %s" },
    { 0 },
};
