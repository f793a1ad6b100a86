/**
 * A TCP stream of mixed messages, framed and parsed, each message read as a proxy reads it: 64 KB at once, and in the
 * segments of an Ethernet. npm sip is the only peer that reads streams; its socket hands it text, which is made here too.
 */
import { parseMessage, StreamFramer } from '@carillon/sip-parser'
import * as sip from 'sip'
import { messageStream, segments } from '../fixtures/message-stream.ts'
import { type Contestant, measureAll, measurementTable } from '../support/measure.ts'
import { readProxyFields } from '../support/own-parsers.ts'
import type { Table } from '../support/report.ts'

const onStream = { datagram: false }
/** Its own limit of 60 480 counts all that is buffered as head, and drops 64 KB that come at once. */
const sipStreamBytesMax = 1_000_000

/** Measures both ways of delivery. Figures are for one message. */
export function measureStream(): Table[] {
  const { bytes, messages } = messageStream
  const what = `stream of ${messages} mixed messages, ${bytes.length} bytes`
  return [
    measurementTable(`${what} in one piece: each message`, measureAll(contestants([bytes]))),
    measurementTable(`${what} in ${segments.length} segments: each message`, measureAll(contestants(segments))),
  ]
}

function contestants(pieces: readonly Buffer[]): Contestant[] {
  const operations = messageStream.messages
  return [
    {
      name: 'carillon',
      does: 'StreamFramer, parseMessage, what a proxy needs decoded',
      operations,
      run: () => ours(pieces),
    },
    {
      name: 'sip',
      does: 'makeStreamParser: always decodes Via, From, To, CSeq, Contact, routes',
      operations,
      run: () => sips(pieces),
    },
  ]
}

function ours(pieces: readonly Buffer[]): unknown {
  const framer = new StreamFramer()
  let messages = 0
  let last: unknown
  for (const piece of pieces) {
    for (const event of framer.push(piece)) {
      if (event.kind === 'ping' || event.kind === 'pong') continue
      if (event.kind === 'error') throw new Error(event.error.sentence)
      const result = parseMessage(event.bytes, onStream)
      if (!result.ok) throw new Error(result.error.sentence)
      last = readProxyFields(result.message)
      messages++
    }
  }
  return checked(messages, last)
}

function sips(pieces: readonly Buffer[]): unknown {
  let messages = 0
  let last: unknown
  const push = sip.makeStreamParser(
    (message) => {
      messages++
      last = message.headers.from.uri
    },
    undefined,
    sipStreamBytesMax,
  )
  for (const piece of pieces) push(piece.toString('latin1'))
  return checked(messages, last)
}

function checked(messages: number, last: unknown): unknown {
  if (messages !== messageStream.messages) throw new Error(`${messages} messages found, not ${messageStream.messages}`)
  return last
}
