/* words_reasons.c - Portuguese for reasons that stand inside other sentences: errors of the layers below
 * (problem_words.h). */
#include "problem_words.h"

const struct problem_word WORDS_REASONS[] = {
    /* category */
    { "no category in the feed", "não há categoria no feed" },
    { "the product has no title", "o produto não tem título" },
    { "the category is not mapped", "a categoria não está mapeada" },
    { "TikTok proposes no category", "o TikTok não propõe categoria" },
    { "TikTok proposes \"%s\", in which the shop may not list",
      "o TikTok propõe \"%s\", em que a loja não pode anunciar" },
    { "TikTok refuses the category %s: %s", "o TikTok recusa a categoria %s: %s" },
    { "no reason given", "sem motivo informado" },
    { "not a TikTok category id", "não é um id de categoria do TikTok" },

    /* pictures */
    { "the picture host does not answer", "o servidor das imagens não responde" },
    { "the picture host answers %d", "o servidor das imagens responde %d" },
    { "the address answers %d", "o endereço responde %d" },
    { "TikTok takes no GIF pictures", "o TikTok não aceita imagens GIF" },
    { "the file is no picture that TikTok takes",
      "o arquivo não é uma imagem que o TikTok aceite" },
    { "the picture has %dx%d pixels, TikTok takes %dx%d to %dx%d",
      "a imagem tem %dx%d pixels, o TikTok aceita de %dx%d a %dx%d" },

    /* transfers */
    { "the address %s", "o endereço %s" },
    { "is not a usable URL", "não é uma URL utilizável" },
    { "must begin with https://", "deve começar com https://" },
    { "must not hold a user name", "não pode conter nome de usuário" },
    { "must use port 443", "deve usar a porta 443" },
    { "the address is too long", "o endereço é longo demais" },
    { "a redirect leads to an unusable address",
      "um redirecionamento leva a um endereço inutilizável" },
    { "more than %d redirects", "mais de %d redirecionamentos" },
    { "the answer of %s is larger than allowed", "a resposta de %s é maior que o permitido" },
    { "%s leads to an address that is not public", "%s leva a um endereço que não é público" },
    { "the address of %s cannot be used", "o endereço de %s não pode ser usado" },
    { "the answer came slower than 1 KiB/s", "a resposta veio mais lenta que 1 KiB/s" },
    { "no complete answer from %s: %s", "sem resposta completa de %s: %s" },
    { "TikTok's answer could not be read", "a resposta do TikTok não pôde ser lida" },
    { "TikTok took the product but named no product id",
      "o TikTok recebeu o produto, mas não informou o id" },
    { "text is too long", "o texto é longo demais" },
    { "description is too long", "a descrição é longa demais" },
    { "out of memory", "memória esgotada" },
    { 0 },
};
