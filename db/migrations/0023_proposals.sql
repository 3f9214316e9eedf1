-- What TikTok proposes to make listings better, and what a person decided about it.

CREATE TABLE product_proposals (
    client_id       text NOT NULL,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    shop_id         text NOT NULL,
    source_id       text NOT NULL,
    field           text NOT NULL CHECK (field IN ('title', 'description', 'images', 'listing')),
    kind            text NOT NULL CHECK (kind IN ('diagnosis', 'seo_words', 'recommendation', 'white_background')),
    operation       text NOT NULL,
    current         jsonb,
    proposed        jsonb,
    value           jsonb,
    reason          text,
    state           text NOT NULL DEFAULT 'proposed' CHECK (state IN
        ('proposed', 'approved', 'sent', 'refused', 'dismissed', 'outdated')),
    problem         jsonb,
    run_id          text,
    request_id      text,
    asked_by        text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    decided_by      text,
    decided_at      timestamptz,
    sent_at         timestamptz,
    sent_run_id     text,
    sent_request_id text,
    PRIMARY KEY (client_id, id)
);
CREATE INDEX product_proposals_product ON product_proposals (shop_id, source_id, state);
COMMENT ON TABLE product_proposals IS 'Proposals of TikTok for a product, each beside the value of that day; nothing is sent before a person approved it';
COMMENT ON COLUMN product_proposals.current IS 'Text or picture ({"uri", "url"}) as it was published when the proposal came';
COMMENT ON COLUMN product_proposals.proposed IS 'Text, list of search words, or picture; NULL = advice only';
COMMENT ON COLUMN product_proposals.value IS 'What was approved to be sent, as TikTok takes it';
COMMENT ON COLUMN product_proposals.operation IS 'Operation of TikTok that proposed it';
COMMENT ON COLUMN product_proposals.problem IS 'Why TikTok gave or took nothing: {"code", "message", "action", ...}';
COMMENT ON COLUMN product_proposals.run_id IS 'Run that asked; sent_run_id is the one that sent it';

CALL connector_guard('product_proposals');
