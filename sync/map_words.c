/* map_words.c - small dictionaries for matching feed fields and values with TikTok's attributes. */
#include "map_words.h"

#include <stddef.h>
#include <string.h>

#include "map_text.h"
#include "str.h"

#define WORDS_MAX 8

struct field_words {
    const char *field;
    const char *shown;
    const char *names[WORDS_MAX];
};

static const struct field_words FIELDS[] = {
    { "color", "Cor", { "cor", "color", "colour", "cores", "cor principal" } },
    { "size", "Tamanho", { "tamanho", "size", "tamanhos" } },
    { "material", "Material", { "material", "materials", "materiais", "tecido", "composicao" } },
    { "pattern", "Estampa", { "estampa", "pattern", "padrao", "padronagem" } },
    { "gender", "Gênero", { "genero", "gender", "sexo", "publico", "department" } },
    { "age_group", "Faixa etária", { "faixa etaria", "age group", "idade", "age" } },
    { "condition", "Condição", { "condicao", "condition" } },
    { "brand", "Marca", { "marca", "brand" } },
    { "title", "Modelo", { NULL } },
};

struct value_words {
    const char *field;
    const char *words[WORDS_MAX];
};

static const struct value_words VALUES[] = {
    { "gender", { "male", "masculino", "homem", "men", "homens", "man" } },
    { "gender", { "female", "feminino", "mulher", "women", "mulheres", "woman" } },
    { "gender", { "unisex", "unissex" } },
    { "age_group", { "newborn", "recem nascido", "recem-nascido" } },
    { "age_group", { "infant", "bebe", "baby", "bebes" } },
    { "age_group", { "toddler", "crianca pequena" } },
    { "age_group", { "kids", "infantil", "crianca", "criancas", "children" } },
    { "age_group", { "adult", "adulto", "adultos", "adults" } },
    { "condition", { "new", "novo" } },
    { "condition", { "used", "usado" } },
    { "condition", { "refurbished", "recondicionado" } },
    { "color", { "preto", "preta", "black" } },
    { "color", { "branco", "branca", "white" } },
    { "color", { "vermelho", "vermelha", "red" } },
    { "color", { "amarelo", "amarela", "yellow" } },
    { "color", { "azul", "blue" } },
    { "color", { "verde", "green" } },
    { "color", { "cinza", "grey", "gray" } },
    { "color", { "rosa", "pink" } },
    { "color", { "roxo", "roxa", "purple" } },
    { "color", { "laranja", "orange" } },
    { "color", { "marrom", "brown" } },
    { "color", { "bege", "beige" } },
    { "color", { "dourado", "dourada", "gold", "golden" } },
    { "color", { "prata", "prateado", "prateada", "silver" } },
    { "size", { "unico", "tamanho unico", "one size", "u" } },
};

static const struct field_words *field_row(const char *field)
{
    for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
        if (strcmp(FIELDS[i].field, field) == 0)
            return &FIELDS[i];
    return NULL;
}

static bool listed(const char *const words[WORDS_MAX], const char *text)
{
    for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++)
        if (map_text_same(words[i], text))
            return true;
    return false;
}

bool map_words_field_is(const char *field, const char *attribute_name)
{
    const struct field_words *row = field_row(field);

    if (attribute_name == NULL)
        return false;
    if (row != NULL)
        return listed(row->names, attribute_name);
    return str_starts(field, "details:") &&
           map_text_same(field + strlen("details:"), attribute_name);
}

const char *map_words_field_of(const char *attribute_name)
{
    for (size_t i = 0; attribute_name != NULL && i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
        if (listed(FIELDS[i].names, attribute_name))
            return FIELDS[i].field;
    return NULL;
}

const char *map_words_field_name(const char *field)
{
    const struct field_words *row = field_row(field);

    if (row != NULL)
        return row->shown;
    return str_starts(field, "details:") ? field + strlen("details:") : field;
}

bool map_words_value_same(const char *field, const char *value, const char *name)
{
    if (value == NULL || name == NULL)
        return false;
    if (map_text_same(value, name))
        return true;
    for (size_t i = 0; i < sizeof(VALUES) / sizeof(VALUES[0]); i++)
        if (strcmp(VALUES[i].field, field) == 0 && listed(VALUES[i].words, value) &&
            listed(VALUES[i].words, name))
            return true;
    return false;
}
