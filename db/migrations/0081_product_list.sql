-- Lists of products go by source id.

CREATE INDEX products_listed ON products (client_id, source_id, shop_id);
