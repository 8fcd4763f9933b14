import { createBesideFunctions, dropBesideFunctions } from './table-beside.js'

/**
 * The tables of one service's log. Event rows are only ever inserted, into partitions by their number, a segment each: whole segments
 * can be detached to files. `events_kept` holds, of detached ones, the streams that have not ended. `log_end` holds the last number:
 * whoever appends takes the next ones from it, and holds its row until they are committed, so that numbers have no gap and are never
 * seen before smaller ones. `streams` holds each stream's version and the folded state of that version or of one before, as its tag says
 * (ADR 0029): a cache that replay reproduces. `event_types` says which topic each kind of event goes to, also those that only a newer build
 * knows.
 * `checkpoints` says how far each read model is, `projections` how it is, `parked` which events wait in which of them, and
 * `projection_requests` what was asked of them.
 */
export const eventTables = (segmentSize: number) => `
  create table streams (
    stream_id text primary key,
    base integer not null,
    version integer not null,
    state json not null,
    state_tag text not null,
    -- seconds since 1970: from then on no command can have an effect; null while nobody knows when
    ends_at bigint,
    -- seconds since 1970: when to see what time has brought; null when it brings nothing. Where that moves on with each event this
    -- stays behind, until somebody looks: a row whose indexed columns stay as they are is updated in its place
    deadline bigint
    -- with room in each page: else the row's next version goes to another one, and each index must hear of it
  ) with (fillfactor = 80);
  create index streams_deadline on streams (deadline) where deadline is not null;
  create table events (
    log_seq bigint primary key,
    stream_id text not null,
    stream_version integer not null,
    event_id uuid not null,
    type text not null,
    data json not null,
    internal json,
    actor_type text not null,
    actor_id text not null,
    traceparent text,
    time timestamptz(3) not null
  ) partition by range (log_seq);
  create index events_time on events using brin (time);
  create table log_end (
    one boolean primary key default true check (one),
    last_seq bigint not null,
    -- the transaction that took it: in a cluster that has not come so far the log was restored
    xid xid8 not null default pg_current_xact_id(),
    -- the numbers up to this one are in files
    detached_up_to bigint not null default 0
  );
  insert into log_end (last_seq) values (0);
  create table segments (
    number integer primary key,
    first_seq bigint not null,
    last_seq bigint not null,
    -- of one that is in a file: the hashes of its range (RFC 6962), the last number per topic:partition, the newest time, the file's
    -- digest, and since when it is there
    range json,
    heads json,
    newest timestamptz(3),
    sha256 text,
    detached_at timestamptz
  );
  create table events_kept (like events including defaults including constraints);
  create unique index on events_kept (stream_id, stream_version);
  alter table events attach partition events_kept for values from (minvalue) to (1);
  -- Attached, not created in place: that would wait for whoever reads, and make whoever writes wait.
  create function create_segment(number integer, first_seq bigint, last_seq bigint) returns void language plpgsql as $$
    begin
      execute format('create table events_%s (like events including defaults including constraints)', number);
      execute format('create unique index on events_%s (stream_id, stream_version)', number);
      execute format('alter table events attach partition events_%s for values from (%s) to (%s)', number, first_seq, last_seq + 1);
    end
  $$;
  -- There is always a whole segment more than the one that is written.
  create function add_segments() returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
    declare
      number integer;
      last bigint;
      reached bigint := (select l.last_seq from log_end l);
    begin
      lock table segments in share row exclusive mode; -- one at a time
      select coalesce(max(s.number), 0), coalesce(max(s.last_seq), 0) into number, last from segments s;
      while last <= reached + ${segmentSize} loop
        number := number + 1;
        perform create_segment(number, last + 1, last + ${segmentSize});
        insert into segments (number, first_seq, last_seq) values (number, last + 1, last + ${segmentSize});
        last := last + ${segmentSize};
      end loop;
    end
  $$;
  select add_segments();
  create table event_types (
    type text primary key,
    topic text not null
  );
  create table publisher (
    one boolean primary key default true check (one),
    cursor bigint not null,
    hold text not null default 'none' check (hold in ('none', 'asked', 'held'))
  );
  insert into publisher (cursor) values (0);
  create table published (
    topic text not null,
    partition integer not null,
    log_seq bigint not null,
    primary key (topic, partition)
  );
  create table checkpoints (
    projection text not null,
    topic text not null,
    partition integer not null,
    positions jsonb not null default '{}',
    next_offset bigint,
    primary key (projection, topic, partition)
  );
  create table projections (
    name text primary key,
    read_model text not null,
    security boolean not null,
    caught_up boolean not null default false,
    waiting bigint not null default 0,
    trouble text,
    told_by uuid
  );
  create table parked (
    number bigint generated always as identity primary key,
    projection text not null,
    key text not null,
    event text not null,
    error text
  );
  create index parked_key on parked (projection, key, number);
  create table projection_requests (
    id bigint generated always as identity primary key,
    projection text not null,
    action text not null check (action in ('rebuild', 'compare', 'retry', 'skip')),
    key text,
    asked_at timestamptz not null default now(),
    taken_by uuid,
    progress json,
    ok boolean,
    outcome text
  );
  create index projection_requests_open on projection_requests (projection, id) where ok is null;
  ${createBesideFunctions}
`

/** With a million events to each segment. */
export const createEventTables = eventTables(1_000_000)

export const dropEventTables = `
  drop table projection_requests, parked, projections, checkpoints, published, publisher, event_types, segments, log_end, events, streams;
  drop function add_segments, create_segment;
  ${dropBesideFunctions}
`

/** Said when a read model that is kept in memory has changed, with the name of its table. */
export const changedChannel = 'grantlog_changed'
/** Said when events were appended or soon after, with their types and the categories of their streams: `token.revoked.v1:grant`. */
export const appendedChannel = 'grantlog_appended'
