export { type KafkaBroker, startKafka } from './kafka.js'
export { kafkaAvailable, kafkaHome } from './kafka-home.js'
export { freePort, freePorts, isFree } from './ports.js'
export { ensureDatabase, type Postgres, type PostgresOptions, startPostgres } from './postgres.js'
