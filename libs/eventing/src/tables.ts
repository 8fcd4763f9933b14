import { createBesideFunctions, dropBesideFunctions } from './table-beside.js'

/** Positions per segment of the log. */
export const segmentSize = 1_000_000

/**
 * The tables of one service's log. Event rows are only ever inserted, into partitions by position, a segment each: whole segments
 * can be detached to files. `events_kept` holds, of detached ones, the streams that have not ended. `log` numbers them densely in commit order; everything
 * downstream reads by `log_seq`. `streams` holds each stream's version and its folded state, a cache that replay reproduces.
 * `event_types` says which topic each kind of event goes to, also those that only a newer build knows.
 * `checkpoints` says how far each read model is, `projections` how it is, `parked` which events wait in which of them, and
 * `projection_requests` what was asked of them.
 */
export const createEventTables = `
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
  );
  create index streams_deadline on streams (deadline) where deadline is not null;
  create sequence events_position;
  create table events (
    position bigint primary key default nextval('events_position'),
    xid xid8 not null default pg_current_xact_id(),
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
  ) partition by range (position);
  alter sequence events_position owned by events.position;
  create index events_xid on events (xid);
  create index events_time on events using brin (time);
  create table segments (
    number integer primary key,
    first_position bigint not null,
    next_position bigint not null,
    -- of one that is in a file: its events by their numbers, the hashes of their range (RFC 6962), the last number per
    -- topic:partition, the newest time, the file's digest, and since when it is there
    first_seq bigint,
    last_seq bigint,
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
  create function create_segment(number integer, first_position bigint, next_position bigint) returns void language plpgsql as $$
    begin
      execute format('create table events_%s (like events including defaults including constraints)', number);
      execute format('create unique index on events_%s (stream_id, stream_version)', number);
      execute format('alter table events attach partition events_%s for values from (%s) to (%s)', number, first_position, next_position);
    end
  $$;
  -- There is always a whole segment more than the one that is written.
  create function add_segments() returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
    declare
      reached bigint := (select last_value from events_position);
      last integer := coalesce((select max(number) from segments), 0);
    begin
      while last * ${segmentSize}::bigint < reached + ${segmentSize} loop
        perform create_segment(last + 1, last * ${segmentSize}::bigint + 1, (last + 1) * ${segmentSize}::bigint + 1);
        insert into segments values (last + 1, last * ${segmentSize}::bigint + 1, (last + 1) * ${segmentSize}::bigint + 1);
        last := last + 1;
      end loop;
    end
  $$;
  select add_segments();
  create table event_types (
    type text primary key,
    topic text not null
  );
  create table log (
    log_seq bigint primary key,
    position bigint not null unique
  );
  create table sequencer (
    one boolean primary key default true check (one),
    last_seq bigint not null,
    numbered_below xid8 not null,
    -- the numbers up to this one are in files
    detached_up_to bigint not null default 0,
    -- rows up to this position came from another cluster and are numbered: their transaction ids mean nothing here
    restored_up_to bigint not null default 0
  );
  insert into sequencer (last_seq, numbered_below) values (0, '0');
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

export const dropEventTables = `
  drop table projection_requests, parked, projections, checkpoints, published, publisher, sequencer, log, event_types, segments, events, streams;
  drop function add_segments, create_segment;
  ${dropBesideFunctions}
`

/** Said when rows were committed, so that the sequencer need not wait for its next look. Sent outside the writers' transactions. */
export const appendedChannel = 'grantlog_appended'
/** Said when a read model that is kept in memory has changed, with the name of its table. */
export const changedChannel = 'grantlog_changed'
/** Said when rows were numbered, for everything that tails the log, with the types of their events and the categories of their streams: `token.revoked.v1:grant`. */
export const sequencedChannel = 'grantlog_sequenced'
