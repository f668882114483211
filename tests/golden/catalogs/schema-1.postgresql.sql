CREATE TABLE public.activity (
    id character varying NOT NULL COLLATE pg_catalog."C",
    type character varying NOT NULL COLLATE pg_catalog."C",
    state character varying NOT NULL COLLATE pg_catalog."C",
    started bigint NOT NULL
);
CREATE TABLE public.activity_document (
    activity character varying NOT NULL COLLATE pg_catalog."C",
    json text NOT NULL
);
CREATE TABLE public.dataset (
    id integer NOT NULL,
    pid character varying NOT NULL COLLATE pg_catalog."C",
    version integer NOT NULL,
    newest boolean NOT NULL,
    title character varying NOT NULL COLLATE pg_catalog."C",
    facility character varying NOT NULL COLLATE pg_catalog."C",
    instrument character varying COLLATE pg_catalog."C",
    proposal character varying COLLATE pg_catalog."C",
    technique character varying COLLATE pg_catalog."C",
    kind character varying NOT NULL COLLATE pg_catalog."C",
    created bigint NOT NULL,
    root character varying NOT NULL COLLATE pg_catalog."C",
    source_id character varying COLLATE pg_catalog."C"
);
CREATE TABLE public.dataset_document (
    dataset integer NOT NULL,
    json text NOT NULL
);
CREATE SEQUENCE public.dataset_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.dataset_id_seq OWNED BY public.dataset.id;
CREATE TABLE public.dataset_words (
    dataset integer NOT NULL,
    words tsvector NOT NULL
);
CREATE TABLE public.edge (
    id integer NOT NULL,
    subject character varying NOT NULL COLLATE pg_catalog."C",
    predicate character varying NOT NULL COLLATE pg_catalog."C",
    object character varying NOT NULL COLLATE pg_catalog."C",
    role character varying NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.edge_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.edge_id_seq OWNED BY public.edge.id;
CREATE TABLE public.quantity (
    dataset integer NOT NULL,
    name character varying NOT NULL COLLATE pg_catalog."C",
    dimension character varying NOT NULL COLLATE pg_catalog."C",
    value double precision NOT NULL
);
CREATE TABLE public.schema_version (
    version integer NOT NULL
);
ALTER TABLE ONLY public.dataset ALTER COLUMN id SET DEFAULT nextval('public.dataset_id_seq'::regclass);
ALTER TABLE ONLY public.edge ALTER COLUMN id SET DEFAULT nextval('public.edge_id_seq'::regclass);
INSERT INTO public.activity VALUES ('01JG0000000000000000000101', 'ingest', 'done', 1795334460000000);
INSERT INTO public.activity VALUES ('01JG0000000000000000000102', 'ingest', 'done', 1795334520000000);
INSERT INTO public.activity VALUES ('01JG0000000000000000000103', 'reduce', 'done', 1795334580000000);
INSERT INTO public.activity VALUES ('01JG0000000000000000000104', 'ingest', 'done', 1795334640000000);
INSERT INTO public.activity VALUES ('01JG0000000000000000000105', 'ingest', 'done', 1795334700000000);
INSERT INTO public.activity VALUES ('01JG0000000000000000000106', 'ingest', 'failed', 1795334760000000);
INSERT INTO public.activity_document VALUES ('01JG0000000000000000000101', '{"format": "hsc.activity/1", "id": "01JG0000000000000000000101", "type": "ingest", "state": "done", "started": "2026-11-22T08:01:00Z", "ended": "2026-11-22T08:02:00Z", "parameters": {"verify": "sample", "workers": null, "file": "m\udce4tning.h5"}, "environment": {"packages": {"zarr": "3.1.6"}, "python": "3.11.2", "platform": "Linux", "host": "b1", "process": 1, "cpus": 2, "source_commit": null, "lock_digest": null}, "agents": [{"kind": "person", "id": "anna"}], "used": [], "generated": [], "input_roots": [], "output_roots": [], "bytes_in": 0, "bytes_out": 0, "runner": "process", "flow_run_id": null, "failure": null}');
INSERT INTO public.activity_document VALUES ('01JG0000000000000000000102', '{"format": "hsc.activity/1", "id": "01JG0000000000000000000102", "type": "ingest", "state": "done", "started": "2026-11-22T08:02:00Z", "ended": "2026-11-22T08:03:00Z", "parameters": {"verify": "sample", "workers": null, "file": "m\udce4tning.h5"}, "environment": {"packages": {"zarr": "3.1.6"}, "python": "3.11.2", "platform": "Linux", "host": "b1", "process": 1, "cpus": 2, "source_commit": null, "lock_digest": null}, "agents": [{"kind": "person", "id": "anna"}], "used": [], "generated": [], "input_roots": [], "output_roots": [], "bytes_in": 0, "bytes_out": 0, "runner": "process", "flow_run_id": null, "failure": null}');
INSERT INTO public.activity_document VALUES ('01JG0000000000000000000103', '{"format": "hsc.activity/1", "id": "01JG0000000000000000000103", "type": "reduce", "state": "done", "started": "2026-11-22T08:03:00Z", "ended": "2026-11-22T08:04:00Z", "parameters": {"verify": "sample", "workers": null, "file": "m\udce4tning.h5"}, "environment": {"packages": {"zarr": "3.1.6"}, "python": "3.11.2", "platform": "Linux", "host": "b1", "process": 1, "cpus": 2, "source_commit": null, "lock_digest": null}, "agents": [{"kind": "person", "id": "anna"}], "used": [], "generated": [], "input_roots": [], "output_roots": [], "bytes_in": 0, "bytes_out": 0, "runner": "process", "flow_run_id": null, "failure": null}');
INSERT INTO public.activity_document VALUES ('01JG0000000000000000000104', '{"format": "hsc.activity/1", "id": "01JG0000000000000000000104", "type": "ingest", "state": "done", "started": "2026-11-22T08:04:00Z", "ended": "2026-11-22T08:05:00Z", "parameters": {"verify": "sample", "workers": null, "file": "m\udce4tning.h5"}, "environment": {"packages": {"zarr": "3.1.6"}, "python": "3.11.2", "platform": "Linux", "host": "b1", "process": 1, "cpus": 2, "source_commit": null, "lock_digest": null}, "agents": [{"kind": "person", "id": "anna"}], "used": [], "generated": [], "input_roots": [], "output_roots": [], "bytes_in": 0, "bytes_out": 0, "runner": "process", "flow_run_id": null, "failure": null}');
INSERT INTO public.activity_document VALUES ('01JG0000000000000000000105', '{"format": "hsc.activity/1", "id": "01JG0000000000000000000105", "type": "ingest", "state": "done", "started": "2026-11-22T08:05:00Z", "ended": "2026-11-22T08:06:00Z", "parameters": {"verify": "sample", "workers": null, "file": "m\udce4tning.h5"}, "environment": {"packages": {"zarr": "3.1.6"}, "python": "3.11.2", "platform": "Linux", "host": "b1", "process": 1, "cpus": 2, "source_commit": null, "lock_digest": null}, "agents": [{"kind": "person", "id": "anna"}], "used": [], "generated": [], "input_roots": [], "output_roots": [], "bytes_in": 0, "bytes_out": 0, "runner": "process", "flow_run_id": null, "failure": null}');
INSERT INTO public.activity_document VALUES ('01JG0000000000000000000106', '{"format": "hsc.activity/1", "id": "01JG0000000000000000000106", "type": "ingest", "state": "failed", "started": "2026-11-22T08:06:00Z", "ended": "2026-11-22T08:07:00Z", "parameters": {"verify": "sample", "workers": null, "file": "m\udce4tning.h5"}, "environment": {"packages": {"zarr": "3.1.6"}, "python": "3.11.2", "platform": "Linux", "host": "b1", "process": 1, "cpus": 2, "source_commit": null, "lock_digest": null}, "agents": [{"kind": "person", "id": "anna"}], "used": [], "generated": [], "input_roots": [], "output_roots": [], "bytes_in": 0, "bytes_out": 0, "runner": "process", "flow_run_id": null, "failure": null}');
INSERT INTO public.dataset VALUES (1, 'hsc.maxiv/01JG0000000000000000000001', 1, false, 'Lysozyme in buffer, Ångström test', 'maxiv', 'CoSAXS', '20260123', 'SAXS', 'raw', 1795334400000000, 'blake3:0000000000000000000000000000000000000000000000000000000000000000', 'blake3:5555555555555555555555555555555555555555555555555555555555555555');
INSERT INTO public.dataset VALUES (2, 'hsc.maxiv/01JG0000000000000000000001', 2, true, 'Lysozyme, a late file with it', 'maxiv', 'CoSAXS', '20260123', 'SAXS', 'raw', 1795338000000000, 'blake3:0000000000000000000000000000000000000000000000000000000000000000', 'blake3:5555555555555555555555555555555555555555555555555555555555555555');
INSERT INTO public.dataset VALUES (3, 'hsc.maxiv/01JG0000000000000000000002', 1, true, 'I(q) of lysozyme', 'maxiv', 'CoSAXS', NULL, 'SAXS', 'derived', 1795341600000000, 'blake3:0000000000000000000000000000000000000000000000000000000000000000', NULL);
INSERT INTO public.dataset VALUES (4, 'hsc.maxiv/01JG0000000000000000000003', 1, true, 'Bädge␀ standard', 'desy', 'P12', '20260123', 'SAXS', 'raw', 1795345200000000, 'blake3:0000000000000000000000000000000000000000000000000000000000000000', 'blake3:5555555555555555555555555555555555555555555555555555555555555555');
INSERT INTO public.dataset VALUES (5, 'hsc.maxiv/01JG0000000000000000000004', 1, true, 'No instrument', 'maxiv', NULL, '20260123', 'SAXS', 'raw', 1795348800000000, 'blake3:0000000000000000000000000000000000000000000000000000000000000000', 'blake3:5555555555555555555555555555555555555555555555555555555555555555');
INSERT INTO public.dataset_document VALUES (1, '{"format": "hsc.dataset/1", "pid": "hsc.maxiv/01JG0000000000000000000001", "version": 1, "kind": "raw", "title": "Lysozyme in buffer, \u00c5ngstr\u00f6m test", "facility": "maxiv", "instrument": "CoSAXS", "proposal": "20260123", "sample": "HEWL \ud83e\uddea (5 mg/ml)", "technique": "SAXS", "created": "2026-11-22T08:00:00Z", "collected": "2026-11-22T09:00:00.123456Z", "source_id": "blake3:5555555555555555555555555555555555555555555555555555555555555555", "root": "blake3:0000000000000000000000000000000000000000000000000000000000000000", "layout": "dectris", "location": "file:///data/store/maxiv/v1", "bytes_in": 1099511627776, "bytes_out": 549755813888, "arrays": [{"path": "/entry/data/data", "shape": [300, 2162, 2068], "dtype": "uint32", "chunks": [1, 2162, 2068], "shards": [100, 2162, 2068], "way": "passthrough"}], "gaps": [{"path": "/entry/\u00e9", "reason": "the file it links to is missing"}], "quantities": {"photon_energy": {"value": 12.398, "unit": "keV"}, "flux": {"value": 3000000000000.0, "unit": "ph/s"}}, "keywords": ["protein", "standard"], "visibility": "private"}');
INSERT INTO public.dataset_document VALUES (2, '{"format": "hsc.dataset/1", "pid": "hsc.maxiv/01JG0000000000000000000001", "version": 2, "kind": "raw", "title": "Lysozyme, a late file with it", "facility": "maxiv", "instrument": "CoSAXS", "proposal": "20260123", "sample": "HEWL \ud83e\uddea (5 mg/ml)", "technique": "SAXS", "created": "2026-11-22T09:00:00Z", "collected": "2026-11-22T09:00:00.123456Z", "source_id": "blake3:5555555555555555555555555555555555555555555555555555555555555555", "root": "blake3:0000000000000000000000000000000000000000000000000000000000000000", "layout": "dectris", "location": "file:///data/store/maxiv/v1", "bytes_in": 1099511627776, "bytes_out": 549755813888, "arrays": [{"path": "/entry/data/data", "shape": [300, 2162, 2068], "dtype": "uint32", "chunks": [1, 2162, 2068], "shards": [100, 2162, 2068], "way": "passthrough"}], "gaps": [{"path": "/entry/\u00e9", "reason": "the file it links to is missing"}], "quantities": {"photon_energy": {"value": 12.398, "unit": "keV"}, "flux": {"value": 3000000000000.0, "unit": "ph/s"}}, "keywords": ["protein", "standard"], "visibility": "private"}');
INSERT INTO public.dataset_document VALUES (3, '{"format": "hsc.dataset/1", "pid": "hsc.maxiv/01JG0000000000000000000002", "version": 1, "kind": "derived", "title": "I(q) of lysozyme", "facility": "maxiv", "instrument": "CoSAXS", "proposal": null, "sample": "HEWL \ud83e\uddea (5 mg/ml)", "technique": "SAXS", "created": "2026-11-22T10:00:00Z", "collected": "2026-11-22T09:00:00.123456Z", "source_id": null, "root": "blake3:0000000000000000000000000000000000000000000000000000000000000000", "layout": "dectris", "location": "file:///data/store/maxiv/v1", "bytes_in": 1099511627776, "bytes_out": 549755813888, "arrays": [{"path": "/entry/data/data", "shape": [300, 2162, 2068], "dtype": "uint32", "chunks": [1, 2162, 2068], "shards": [100, 2162, 2068], "way": "passthrough"}], "gaps": [{"path": "/entry/\u00e9", "reason": "the file it links to is missing"}], "quantities": {"photon_energy": {"value": 12.398, "unit": "keV"}, "flux": {"value": 3000000000000.0, "unit": "ph/s"}}, "keywords": ["protein", "standard"], "visibility": "private"}');
INSERT INTO public.dataset_document VALUES (4, '{"format": "hsc.dataset/1", "pid": "hsc.maxiv/01JG0000000000000000000003", "version": 1, "kind": "raw", "title": "B\u00e4dge\u0000 standard", "facility": "desy", "instrument": "P12", "proposal": "20260123", "sample": "HEWL \ud83e\uddea (5 mg/ml)", "technique": "SAXS", "created": "2026-11-22T11:00:00Z", "collected": "2026-11-22T09:00:00.123456Z", "source_id": "blake3:5555555555555555555555555555555555555555555555555555555555555555", "root": "blake3:0000000000000000000000000000000000000000000000000000000000000000", "layout": "dectris", "location": "file:///data/store/maxiv/v1", "bytes_in": 1099511627776, "bytes_out": 549755813888, "arrays": [{"path": "/entry/data/data", "shape": [300, 2162, 2068], "dtype": "uint32", "chunks": [1, 2162, 2068], "shards": [100, 2162, 2068], "way": "passthrough"}], "gaps": [{"path": "/entry/\u00e9", "reason": "the file it links to is missing"}], "quantities": {"photon_energy": {"value": 12.398, "unit": "keV"}, "flux": {"value": 3000000000000.0, "unit": "ph/s"}}, "keywords": ["protein", "standard"], "visibility": "public"}');
INSERT INTO public.dataset_document VALUES (5, '{"format": "hsc.dataset/1", "pid": "hsc.maxiv/01JG0000000000000000000004", "version": 1, "kind": "raw", "title": "No instrument", "facility": "maxiv", "instrument": null, "proposal": "20260123", "sample": "HEWL \ud83e\uddea (5 mg/ml)", "technique": "SAXS", "created": "2026-11-22T12:00:00Z", "collected": "2026-11-22T09:00:00.123456Z", "source_id": "blake3:5555555555555555555555555555555555555555555555555555555555555555", "root": "blake3:0000000000000000000000000000000000000000000000000000000000000000", "layout": "dectris", "location": "file:///data/store/maxiv/v1", "bytes_in": 1099511627776, "bytes_out": 549755813888, "arrays": [{"path": "/entry/data/data", "shape": [300, 2162, 2068], "dtype": "uint32", "chunks": [1, 2162, 2068], "shards": [100, 2162, 2068], "way": "passthrough"}], "gaps": [{"path": "/entry/\u00e9", "reason": "the file it links to is missing"}], "quantities": {"photon_energy": {"value": 12.398, "unit": "keV"}, "flux": {"value": 3000000000000.0, "unit": "ph/s"}}, "keywords": ["protein", "standard"], "visibility": "group"}');
INSERT INTO public.dataset_words VALUES (1, '''01jg0000000000000000000001'' ''20260123'' ''5'' ''angstrom'' ''buffer'' ''cosaxs'' ''hewl'' ''hsc'' ''in'' ''lysozyme'' ''maxiv'' ''mg'' ''ml'' ''protein'' ''saxs'' ''standard'' ''test'' ''🧪''');
INSERT INTO public.dataset_words VALUES (2, '''01jg0000000000000000000001'' ''20260123'' ''5'' ''a'' ''cosaxs'' ''file'' ''hewl'' ''hsc'' ''it'' ''late'' ''lysozyme'' ''maxiv'' ''mg'' ''ml'' ''protein'' ''saxs'' ''standard'' ''with'' ''🧪''');
INSERT INTO public.dataset_words VALUES (3, '''01jg0000000000000000000002'' ''5'' ''cosaxs'' ''hewl'' ''hsc'' ''i'' ''lysozyme'' ''maxiv'' ''mg'' ''ml'' ''of'' ''protein'' ''q'' ''saxs'' ''standard'' ''🧪''');
INSERT INTO public.dataset_words VALUES (4, '''01jg0000000000000000000003'' ''20260123'' ''5'' ''badge'' ''desy'' ''hewl'' ''hsc'' ''maxiv'' ''mg'' ''ml'' ''p12'' ''protein'' ''saxs'' ''standard'' ''🧪''');
INSERT INTO public.dataset_words VALUES (5, '''01jg0000000000000000000004'' ''20260123'' ''5'' ''hewl'' ''hsc'' ''instrument'' ''maxiv'' ''mg'' ''ml'' ''no'' ''protein'' ''saxs'' ''standard'' ''🧪''');
INSERT INTO public.edge VALUES (1, 'hsc.maxiv/01JG0000000000000000000001@1', 'was_generated_by', 'activity:01JG0000000000000000000101', '');
INSERT INTO public.edge VALUES (2, 'activity:01JG0000000000000000000101', 'used', 'blake3:cc', 'input');
INSERT INTO public.edge VALUES (3, 'hsc.maxiv/01JG0000000000000000000001@1', 'was_derived_from', 'blake3:cc', '');
INSERT INTO public.edge VALUES (4, 'activity:01JG0000000000000000000101', 'was_associated_with', 'agent:anna', '');
INSERT INTO public.edge VALUES (5, 'hsc.maxiv/01JG0000000000000000000001@2', 'was_generated_by', 'activity:01JG0000000000000000000102', '');
INSERT INTO public.edge VALUES (6, 'activity:01JG0000000000000000000102', 'used', 'blake3:dd', 'input');
INSERT INTO public.edge VALUES (7, 'hsc.maxiv/01JG0000000000000000000001@2', 'was_derived_from', 'blake3:dd', '');
INSERT INTO public.edge VALUES (8, 'activity:01JG0000000000000000000102', 'was_associated_with', 'agent:anna', '');
INSERT INTO public.edge VALUES (9, 'hsc.maxiv/01JG0000000000000000000002@1', 'was_generated_by', 'activity:01JG0000000000000000000103', '');
INSERT INTO public.edge VALUES (10, 'activity:01JG0000000000000000000103', 'used', 'hsc.maxiv/01JG0000000000000000000001@2', 'input');
INSERT INTO public.edge VALUES (11, 'hsc.maxiv/01JG0000000000000000000002@1', 'was_derived_from', 'hsc.maxiv/01JG0000000000000000000001@2', '');
INSERT INTO public.edge VALUES (12, 'activity:01JG0000000000000000000103', 'was_associated_with', 'agent:anna', '');
INSERT INTO public.edge VALUES (13, 'hsc.maxiv/01JG0000000000000000000003@1', 'was_generated_by', 'activity:01JG0000000000000000000104', '');
INSERT INTO public.edge VALUES (14, 'activity:01JG0000000000000000000104', 'used', 'blake3:ee', 'input');
INSERT INTO public.edge VALUES (15, 'hsc.maxiv/01JG0000000000000000000003@1', 'was_derived_from', 'blake3:ee', '');
INSERT INTO public.edge VALUES (16, 'activity:01JG0000000000000000000104', 'was_associated_with', 'agent:anna', '');
INSERT INTO public.edge VALUES (17, 'hsc.maxiv/01JG0000000000000000000004@1', 'was_generated_by', 'activity:01JG0000000000000000000105', '');
INSERT INTO public.edge VALUES (18, 'activity:01JG0000000000000000000105', 'used', 'blake3:ff', 'input');
INSERT INTO public.edge VALUES (19, 'hsc.maxiv/01JG0000000000000000000004@1', 'was_derived_from', 'blake3:ff', '');
INSERT INTO public.edge VALUES (20, 'activity:01JG0000000000000000000105', 'was_associated_with', 'agent:anna', '');
INSERT INTO public.quantity VALUES (1, 'photon_energy', '[length]^2 [mass]^1 [time]^-2', 1.9863785908331996e-15);
INSERT INTO public.quantity VALUES (1, 'flux', 'unknown:ph/s', 3000000000000);
INSERT INTO public.quantity VALUES (2, 'photon_energy', '[length]^2 [mass]^1 [time]^-2', 1.9863785908331996e-15);
INSERT INTO public.quantity VALUES (2, 'flux', 'unknown:ph/s', 3000000000000);
INSERT INTO public.quantity VALUES (3, 'photon_energy', '[length]^2 [mass]^1 [time]^-2', 1.9863785908331996e-15);
INSERT INTO public.quantity VALUES (3, 'flux', 'unknown:ph/s', 3000000000000);
INSERT INTO public.quantity VALUES (4, 'photon_energy', '[length]^2 [mass]^1 [time]^-2', 1.9863785908331996e-15);
INSERT INTO public.quantity VALUES (4, 'flux', 'unknown:ph/s', 3000000000000);
INSERT INTO public.quantity VALUES (5, 'photon_energy', '[length]^2 [mass]^1 [time]^-2', 1.9863785908331996e-15);
INSERT INTO public.quantity VALUES (5, 'flux', 'unknown:ph/s', 3000000000000);
INSERT INTO public.schema_version VALUES (1);
SELECT pg_catalog.setval('public.dataset_id_seq', 5, true);
SELECT pg_catalog.setval('public.edge_id_seq', 20, true);
ALTER TABLE ONLY public.activity_document
    ADD CONSTRAINT activity_document_pkey PRIMARY KEY (activity);
ALTER TABLE ONLY public.activity
    ADD CONSTRAINT activity_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.dataset_document
    ADD CONSTRAINT dataset_document_pkey PRIMARY KEY (dataset);
ALTER TABLE ONLY public.dataset
    ADD CONSTRAINT dataset_pid_version_key UNIQUE (pid, version);
ALTER TABLE ONLY public.dataset
    ADD CONSTRAINT dataset_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.dataset_words
    ADD CONSTRAINT dataset_words_pkey PRIMARY KEY (dataset);
ALTER TABLE ONLY public.edge
    ADD CONSTRAINT edge_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.edge
    ADD CONSTRAINT edge_subject_predicate_object_role_key UNIQUE (subject, predicate, object, role);
ALTER TABLE ONLY public.quantity
    ADD CONSTRAINT quantity_pkey PRIMARY KEY (dataset, name);
CREATE INDEX activity_started ON public.activity USING btree (started, id);
CREATE INDEX activity_state ON public.activity USING btree (state, started, id);
CREATE INDEX dataset_facility ON public.dataset USING btree (facility, created);
CREATE INDEX dataset_instrument ON public.dataset USING btree (instrument, created);
CREATE INDEX dataset_kind ON public.dataset USING btree (kind, created);
CREATE INDEX dataset_newest ON public.dataset USING btree (newest, created, pid);
CREATE INDEX dataset_proposal ON public.dataset USING btree (proposal, created);
CREATE INDEX dataset_technique ON public.dataset USING btree (technique, created);
CREATE INDEX dataset_words_words ON public.dataset_words USING gin (words);
CREATE INDEX edge_object ON public.edge USING btree (object, predicate);
CREATE INDEX ix_dataset_root ON public.dataset USING btree (root);
CREATE INDEX ix_dataset_source_id ON public.dataset USING btree (source_id);
CREATE INDEX quantity_value ON public.quantity USING btree (name, dimension, value, dataset);
ALTER TABLE ONLY public.activity_document
    ADD CONSTRAINT activity_document_activity_fkey FOREIGN KEY (activity) REFERENCES public.activity(id);
ALTER TABLE ONLY public.dataset_document
    ADD CONSTRAINT dataset_document_dataset_fkey FOREIGN KEY (dataset) REFERENCES public.dataset(id);
ALTER TABLE ONLY public.dataset_words
    ADD CONSTRAINT dataset_words_dataset_fkey FOREIGN KEY (dataset) REFERENCES public.dataset(id);
ALTER TABLE ONLY public.quantity
    ADD CONSTRAINT quantity_dataset_fkey FOREIGN KEY (dataset) REFERENCES public.dataset(id);
