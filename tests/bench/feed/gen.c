/* gen.c - writes a feed for measurements: `gen ITEMS GENERATION > feed.xml`. About 1.3 KB an item, four variants a
 * product. Generation 1 differs from 0 in the price of 1 % of the items; 1 in 2000 is replaced by a new one. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static const char *word(uint64_t *state)
{
    static const char *const WORDS[] = { "camiseta",
                                         "algod\xC3\xA3o",
                                         "leve",
                                         "cl\xC3\xA1ssica",
                                         "ver\xC3\xA3o",
                                         "inverno",
                                         "jaqueta",
                                         "cal\xC3\xA7"
                                         "a",
                                         "vestido",
                                         "t\xC3\xAAnis",
                                         "bota",
                                         "mochila",
                                         "carteira",
                                         "garrafa",
                                         "lumin\xC3\xA1ria",
                                         "cadeira",
                                         "mesa",
                                         "caneca",
                                         "cobertor",
                                         "travesseiro",
                                         "com",
                                         "para",
                                         "de",
                                         "macio",
                                         "resistente",
                                         "premium",
                                         "ajust\xC3\xA1vel",
                                         "respir\xC3\xA1vel",
                                         "sustent\xC3\xA1vel",
                                         "feito \xC3\xA0 m\xC3\xA3o",
                                         "presente",
                                         "dia a dia" };

    *state = mix(*state);
    return WORDS[*state % (sizeof WORDS / sizeof WORDS[0])];
}

static void item(uint64_t k, int changed)
{
    uint64_t s = mix(k);
    unsigned price = (unsigned)(500 + s % 20000) + (changed ? 100U : 0U);

    printf("<item>\n<g:id>SKU-%09" PRIu64
           "</g:id>\n<title>%s %s %s &amp; %s</title>\n<description><![CDATA[<p>",
           k, word(&s), word(&s), word(&s), word(&s));
    for (int i = 0; i < 32; i++)
        printf("%s ", word(&s));
    printf(
        "</p>]]></description>\n<link>https://www.loja.example/produto/%" PRIu64 "/p?idsku=%" PRIu64
        "&amp;utm_source=feed</link>\n<g:image_link>https://loja.example/arquivos/ids/%" PRIu64
        "/frente.jpg?v=637000000000000000</g:image_link>\n<g:additional_image_link>https://loja.example/arquivos/ids/%" PRIu64
        "/costas.jpg?v=637000000000000000</g:additional_image_link>\n",
        k / 4, k, k, k);
    printf(
        "<g:availability>%s</g:availability>\n<g:price>%u.%02u BRL</g:price>\n<g:sale_price>%u.%02u BRL</g:sale_price>\n"
        "<g:brand>Marca %" PRIu64 "</g:brand>\n<g:gtin>%013" PRIu64 "</g:gtin>\n<g:mpn>REF-%" PRIu64
        "</g:mpn>\n"
        "<g:condition>new</g:condition>\n<g:google_product_category>212</g:google_product_category>\n"
        "<g:product_type>Casa &gt; %s &gt; %s</g:product_type>\n<g:item_group_id>GRP-%" PRIu64
        "</g:item_group_id>\n",
        k % 17 == 0 ? "out_of_stock" : "in_stock", price / 100, price % 100, price * 9 / 1000,
        price % 100, k % 500, s % UINT64_C(10000000000000), k, word(&s), word(&s), k / 4);
    printf(
        "<g:color>%s</g:color>\n<g:size>%c</g:size>\n<g:shipping><g:country>BR</g:country><g:service>PAC</g:service>"
        "<g:price>9.90 BRL</g:price></g:shipping>\n<g:shipping_weight>%u g</g:shipping_weight>\n</item>\n",
        word(&s), "PMGX"[k % 4], (unsigned)(100 + k % 900));
}

int main(int argc, char **argv)
{
    static char buffer[1 << 20];
    long items = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    uint64_t generation = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    puts(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\n"
        "<channel>\n<title>Loja</title>\n<link>https://www.loja.example/</link>\n<description>Medidas</description>");
    for (long i = 1; i <= items; i++) {
        uint64_t k = (uint64_t)i, dice = mix(k * 31 + generation);

        if (generation > 0 && dice % 2000 == 0)
            k += UINT64_C(1000000000) * generation;
        item(k, generation > 0 && (dice >> 20) % 100 == 0);
    }
    puts("</channel>\n</rss>");
    return 0;
}
