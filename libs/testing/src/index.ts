export { browser, screenshot, seriousViolations, type TestBrowser } from './browser.js'
export { type TestDatabase, testDatabase } from './databases.js'
export { eventually } from './eventually.js'
export { describeWithKafka, ownKafka, testKafka } from './kafka.js'
