/**
 * Parsing: what it costs to take a message apart, as far as one needs to. Ours reads the bytes as they come from the
 * socket; so does npm sip. The others take text, and are given text that was decoded beforehand.
 */
import { checkMandatory, parseMessage, type SipMessage } from '@carillon/sip-parser'
import { type Fixture, fixtures, invite } from '../fixtures/messages.ts'
import { type Contestant, type Measurement, measureAll, measurementTable } from '../support/measure.ts'
import { everythingPeers, framingPeers, mandatoryPeers } from '../support/peer-parsers.ts'
import type { Report, Table, Verdict } from '../support/report.ts'
import { figure } from '../support/report.ts'

/** Runs the suite. */
export function parseSuite(): Report {
  const tables: Table[] = []
  const found = new Map<string, Measurement[]>()
  for (const fixture of fixtures) {
    for (const [task, contestants] of tasks(fixture)) {
      const measurements = measureAll(contestants)
      found.set(`${fixture.name}/${task}`, measurements)
      tables.push(measurementTable(`${fixture.name}: ${task}`, measurements))
    }
  }
  return { title: 'Parse', tables, verdicts: [inviteVerdict(found)], remarks: [] }
}

function tasks(fixture: Fixture): [task: string, contestants: Contestant[]][] {
  return [
    [
      'split into headers',
      [{ ...ours('start line and headers found by name', fixture, readNothing) }, ...framingPeers(fixture)],
    ],
    [
      'with the mandatory headers read',
      [
        ours(
          'start line, Via, From, To, Call-ID, CSeq, Max-Forwards, Contact decoded, URIs too',
          fixture,
          readMandatory,
        ),
        ...mandatoryPeers(fixture),
      ],
    ],
    [
      'with every header decoded',
      [ours('every header decoded, URIs and lists too', fixture, readEverything), ...everythingPeers(fixture)],
    ],
  ]
}

function ours(does: string, fixture: Fixture, read: (message: SipMessage) => unknown): Contestant {
  const { bytes } = fixture
  return {
    name: 'carillon',
    does,
    run: () => {
      const result = parseMessage(bytes)
      if (!result.ok) throw new Error(`not parsed: ${result.error.sentence}`)
      return read(result.message)
    },
  }
}

function readNothing(message: SipMessage): unknown {
  return message.get('Call-ID')
}

function readMandatory(message: SipMessage): unknown {
  const problem = checkMandatory(message)
  if (problem !== undefined) throw new Error(problem.sentence)
  const uri = message.kind === 'request' ? message.uri : undefined
  return [
    uri,
    message.via.branch,
    message.from.tag,
    message.to.uri,
    message.callId,
    message.cseq.seq,
    message.maxForwards,
    message.contacts[0]?.uri,
  ]
}

function readEverything(message: SipMessage): unknown {
  return [
    readMandatory(message),
    message.vias.length,
    message.recordRoutes.length,
    message.routes.length,
    message.contacts.length,
    message.expires,
    message.allow.length,
    message.supported.length,
    message.userAgent,
    message.contentType,
    message.contentLength,
    message.get('P-Asserted-Identity'),
  ]
}

function inviteVerdict(found: ReadonlyMap<string, readonly Measurement[]>): Verdict {
  const task = (name: string): readonly Measurement[] => found.get(`${invite.name}/${name}`) ?? []
  const own = task('with the mandatory headers read').find((item) => item.name === 'carillon')
  const peer = task('with the mandatory headers read').find((item) => item.name === 'drachtio-sip')
  const lazy = task('split into headers').find((item) => item.name === 'drachtio-sip')
  const ownUs = own?.cpuUs ?? Number.NaN
  const peerUs = peer?.cpuUs ?? Number.NaN
  return {
    name: 'an INVITE with the mandatory headers read costs less than with drachtio-sip',
    isMet: ownUs < peerUs,
    detail: `${figure(ownUs)} µs against ${figure(peerUs)} µs, and ${figure(lazy?.cpuUs ?? Number.NaN)} µs when drachtio-sip decodes nothing`,
  }
}
