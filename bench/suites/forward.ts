/**
 * Forwarding a parsed INVITE as a proxy does: Via added on top, Max-Forwards counted down, Request-URI replaced; ours ends
 * in bytes ready to send. npm sip's bare `stringify` of an unchanged message, left as text, is what the requirement
 * compares with.
 */
import type { SipRequest } from '@carillon/sip-parser'
import { type Fixture, invite, routedInvite } from '../fixtures/messages.ts'
import { type Contestant, measureAll, measurementTable } from '../support/measure.ts'
import { parsed } from '../support/own-parsers.ts'
import { bareStringify, forwardPeers } from '../support/peer-serializers.ts'
import type { Table } from '../support/report.ts'

const target = 'sip:bob@192.0.2.4:5060'
const newVia = 'SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1d32.8a6e33;rport'
const recordRoute = '<sip:192.0.2.9:5060;lr>'

/** Measures forwarding. */
export function measureForward(): Table {
  const bare = bareStringify()
  const measurements = measureAll([forward(), forwardAsText(), forwardRouted(), bare, ...forwardPeers(target, newVia)])
  const yardstick = measurements.find((item) => item.does === bare.does)
  return measurementTable(`forward an INVITE of ${invite.bytes.length} bytes`, measurements, {
    title: '× bare stringify',
    cpuUs: yardstick?.cpuUs ?? Number.NaN,
  })
}

/** Ours, to bytes. */
export function forward(): Contestant {
  const request = requestOf(invite)
  return {
    name: 'carillon',
    does: 'edit, bytes; untouched headers copied byte for byte',
    run: () => edited(request).toBytes(),
  }
}

function forwardAsText(): Contestant {
  const request = requestOf(invite)
  return { name: 'carillon', does: 'the same, to text', run: () => edited(request).toString() }
}

function forwardRouted(): Contestant {
  const request = requestOf(routedInvite)
  return {
    name: 'carillon',
    does: 'INVITE with Route: Record-Route added and Route popped too, bytes',
    run: () =>
      request
        .edit()
        .setUri(target)
        .removeFirst('Route')
        .prepend('Record-Route', recordRoute)
        .prepend('Via', newVia)
        .set('Max-Forwards', (request.maxForwards ?? 70) - 1)
        .build()
        .toBytes(),
  }
}

function edited(request: SipRequest): SipRequest {
  return request
    .edit()
    .setUri(target)
    .prepend('Via', newVia)
    .set('Max-Forwards', (request.maxForwards ?? 70) - 1)
    .build()
}

function requestOf(fixture: Fixture): SipRequest {
  const message = parsed(fixture.bytes)
  if (message.kind !== 'request') throw new Error(`${fixture.name} is no request`)
  return message
}
