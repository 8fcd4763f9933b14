import { heedSignals } from './signals.js'

// What a program imports first: loading the rest takes time, during which it may be told to stop.
heedSignals()
