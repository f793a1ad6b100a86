/**
 * Whole messages: split into header lines, read as a proxy reads them, and with every header decoded. Ours reads the bytes
 * as they come from the socket; so does npm sip. The others take text, and are given text that was decoded beforehand.
 */
import { carrierInvite } from '../fixtures/carrier-invite.ts'
import { type Fixture, invite, ok, register, routedInvite } from '../fixtures/messages.ts'
import { type EveryHeader, everyHeader } from '../support/every-header.ts'
import { type Contestant, measureAll, measurementTable } from '../support/measure.ts'
import { decodedWhole, framed, parsed, proxyFields, readWhole } from '../support/own-parsers.ts'
import { bareConstructor, everythingPeers, proxyPeers } from '../support/peer-parsers.ts'
import type { Table } from '../support/report.ts'

/** What was found. */
export interface MessageResults {
  readonly tables: readonly Table[]
  readonly remarks: readonly string[]
}

/** Measures all messages. */
export function measureMessages(): MessageResults {
  const tables: Table[] = []
  const remarks: string[] = []
  for (const fixture of [invite, routedInvite, ok, register, carrierInvite]) {
    const every = everyHeader(parsed(fixture.bytes))
    if (every.asText.length > 0) {
      remarks.push(`${fixture.name}: read as text for want of a typed getter: ${every.asText.join(', ')}`)
    }
    tables.push(measureMessage(fixture, every))
  }
  return { tables, remarks }
}

function measureMessage(fixture: Fixture, every: EveryHeader): Table {
  const measurements = measureAll(contestants(fixture, every))
  const bare = measurements.find((item) => item.task === 'split' && item.name === 'drachtio-sip')
  const yardstick = { title: '× constructor', cpuUs: bare?.cpuUs ?? Number.NaN }
  return measurementTable(fixture.name, measurements, yardstick)
}

function contestants(fixture: Fixture, every: EveryHeader): Contestant[] {
  const proxy = [proxyFields(fixture), ...proxyPeers(fixture)]
  // The variant with a Route differs in the proxy's part alone.
  if (fixture === routedInvite) return [bareConstructor(fixture), ...proxy]
  return [
    framed(fixture),
    bareConstructor(fixture),
    ...proxy,
    decodedWhole(fixture, every),
    readWhole(fixture, every),
    ...everythingPeers(fixture),
  ]
}
