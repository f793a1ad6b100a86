/**
 * The session description of a browser: its lines taken apart, and every attribute read into a typed value. npm sip keeps
 * attributes as text; sdp-transform, which JsSIP and most WebRTC projects use, reads those it knows; drachtio-sip and
 * sip.js do not read SDP.
 */
import { decodeAttribute, parseSdp, type SessionDescription, sdpToBytes } from '@carillon/sip-parser/sdp'
import * as sdpTransform from 'sdp-transform'
import * as sipSdp from 'sip/sdp.js'
import { browserOffer, browserOfferText } from '../fixtures/browser-offer.ts'
import { type Contestant, measureAll, measurementTable } from '../support/measure.ts'
import type { Table } from '../support/report.ts'

const sections = 2

/** Measures parsing and writing. */
export function measureSdp(): Table[] {
  const size = browserOffer.length
  return [
    measurementTable(`SDP of a browser, ${size} bytes: parse`, measureAll(parseContestants())),
    measurementTable(`SDP of a browser, ${size} bytes: write`, measureAll(writeContestants())),
  ]
}

function parseContestants(): Contestant[] {
  return [
    { name: 'carillon', does: 'lines; attributes by name, as text', task: 'lines', run: () => parsed().media.length },
    {
      name: 'sip',
      does: 'sdp.parse: lines; attributes as text',
      task: 'lines',
      run: () => checked(sipSdp.parse(browserOfferText).m.length),
    },
    { name: 'carillon', does: 'every attribute decoded', task: 'typed', run: () => decodeAll(parsed()) },
    {
      name: 'sdp-transform',
      does: 'parse: known attributes decoded with regular expressions',
      task: 'typed',
      run: () => checked(sdpTransform.parse(browserOfferText).media.length),
    },
  ]
}

function writeContestants(): Contestant[] {
  const ours = parsed()
  const theirs = sdpTransform.parse(browserOfferText)
  const sips = sipSdp.parse(browserOfferText)
  return [
    { name: 'carillon', does: 'sdpToBytes', run: () => sdpToBytes(ours) },
    { name: 'sip', does: 'sdp.stringify, to bytes', run: () => Buffer.from(sipSdp.stringify(sips)) },
    { name: 'sdp-transform', does: 'write, to bytes', run: () => Buffer.from(sdpTransform.write(theirs)) },
  ]
}

function parsed(): SessionDescription {
  const result = parseSdp(browserOffer)
  if (!result.ok) throw new Error(`not parsed: ${result.error.sentence}`)
  return result.value
}

/** Decodes all attributes; `msid-semantic` is in no RFC and has no codec. */
function decodeAll(session: SessionDescription): number {
  let decoded = 0
  for (const section of [session, ...session.media]) {
    for (const attribute of section.attributes) {
      const result = decodeAttribute(attribute)
      if (result === undefined) continue
      if (!result.ok) throw new Error(`a=${attribute.name} was refused`)
      decoded++
    }
  }
  return decoded
}

function checked(count: number): number {
  if (count !== sections) throw new Error('a peer did not read the description')
  return count
}
