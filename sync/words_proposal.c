/* words_proposal.c - Portuguese for what is said about proposals and held values (problem_words.h). */
#include "problem_words.h"

const struct problem_word WORDS_PROPOSAL[] = {
    { "The shop's authorization does not include the scope %s.",
      "A autorização da loja não inclui o escopo %s." },
    { "Add the scope to the app and have the seller authorize it again.",
      "Adicione o escopo ao aplicativo e peça ao vendedor que autorize de novo." },
    { "TikTok proposes nothing for the product: %s.",
      "O TikTok não propõe nada para o produto: %s." },
    { "the picture could not be made", "a imagem não pôde ser feita" },
    { "TikTok can look at the product once it has a category.",
      "O TikTok pode avaliar o produto quando ele tiver uma categoria." },
    { "Map the product's category in the taxonomy.",
      "Mapeie a categoria do produto na taxonomia." },
    { "Words that people search for on TikTok.", "Palavras que as pessoas buscam no TikTok." },
    { "The first picture on a white background.", "A primeira imagem com fundo branco." },
    { "TikTok recommends this text.", "O TikTok recomenda este texto." },
    { NULL, NULL },
};
