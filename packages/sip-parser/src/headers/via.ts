/**
 * Via (RFC 3261 §20.42, §18.2.1; RFC 3581 for rport; RFC 5118 §4.5 for received with and without brackets; RFC 6223 for
 * keep; RFC 7339 §4 for overload control).
 */

import { SipUsageError } from '../errors'
import { charFlags, equalsIgnoreCase, isToken, lowerWord, skipSpace, TOKEN, trimSpacesEnd } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { bracketHost, hostPort, isHost, isHostCode, scanHostPort } from '../grammar/host'
import {
  decodeParams,
  encodeParams,
  type Params,
  type ParamsInit,
  param,
  paramIs,
  paramValue,
  readParam,
  toParams,
  withParam,
} from '../grammar/params'
import { decodeText } from '../grammar/text'
import type { Wire } from '../grammar/wire'
import { parametersMax } from '../limits'
import { type Leniency, tolerant } from '../message/leniency'

/** The parts of a Via value. */
export interface ViaInit {
  /** Upper-case, as in `UDP`. */
  readonly transport: string
  /** Name, IPv4 or IPv6 without brackets. */
  readonly host: string
  readonly port?: number | undefined
  readonly params?: ParamsInit | undefined
}

/** One Via value. Immutable. */
export class Via {
  private readonly paramsStart: number
  private readonly paramsEnd: number
  private cachedParams: Params | undefined

  /**
   * Takes parts as they are on the wire; use {@link Via.of} instead.
   * @internal
   */
  constructor(
    /** Protocol and version, `SIP/2.0`. */
    readonly protocol: string,
    /** Upper-case, as in `UDP`. */
    readonly transport: string,
    /** The host of sent-by, undefined when it stands at `hostStart` as it is to be read. */
    private readonly ownHost: string | undefined,
    private readonly hostStart: number,
    /** Port of sent-by; undefined when absent. */
    readonly port: number | undefined,
    /** The branch parameter. */
    readonly branch: string | undefined,
    /** Wire text, and where the parameters stand in it. */
    private readonly source: string,
    paramsStart: number,
    paramsEnd: number,
  ) {
    this.paramsStart = paramsStart
    this.paramsEnd = paramsEnd
    this.cachedParams = undefined
  }

  /** Makes a Via value. Throws SipUsageError VALUE_INVALID for a transport that is no token or a bad host. */
  static of(init: ViaInit): Via {
    const host = init.host.startsWith('[') && init.host.endsWith(']') ? init.host.slice(1, -1) : init.host
    if (!isToken(init.transport)) throw new SipUsageError('VALUE_INVALID', 'transport of a Via')
    if (!isHost(host)) throw new SipUsageError('VALUE_INVALID', 'host of a Via')
    const params = toParams(init.params)
    const branch = params.get('branch') ?? undefined
    const text = encodeParams(params)
    const transport = init.transport.toUpperCase()
    return new Via('SIP/2.0', transport, host.toLowerCase(), 0, init.port, branch, text, 0, text.length)
  }

  /** Parameters; names in lower case. */
  get params(): Params {
    this.cachedParams ??= decodeParams(this.rawParams, tolerant)
    return this.cachedParams
  }

  /** Host of sent-by: lower-case, IPv6 without brackets. */
  get host(): string {
    if (this.ownHost !== undefined) return this.ownHost
    let end = this.hostStart
    while (isHostCode(this.source.charCodeAt(end))) end += 1
    return this.source.slice(this.hostStart, end)
  }

  /** Where the message really came from, without brackets; undefined when absent. */
  get received(): string | undefined {
    const value = this.params.get('received')
    if (value === undefined || value === null) return undefined
    return value.startsWith('[') ? value.slice(1, -1) : value
  }

  /** RFC 3581: undefined when absent, null when asked for (empty), else the port. */
  get rport(): number | null | undefined {
    const value = this.params.get('rport')
    return value === undefined || value === null ? value : Number(value)
  }

  get ttl(): number | undefined {
    const value = this.params.get('ttl')
    return value === undefined || value === null ? undefined : Number(value)
  }

  get maddr(): string | undefined {
    return this.params.get('maddr') ?? undefined
  }

  /** RFC 6223 §4: undefined when absent, null when offered (empty), else the seconds between keep-alives. */
  get keep(): number | null | undefined {
    return this.numberOf('keep')
  }

  /** RFC 7339 §4.1: undefined when absent, null when supported (empty), else how far to reduce what is sent. */
  get oc(): number | null | undefined {
    return this.numberOf('oc')
  }

  /** RFC 7339 §4.2: the overload control algorithms offered, or the one chosen; empty when absent. */
  get ocAlgorithms(): readonly string[] {
    const value = this.params.get('oc-algo')
    return value === undefined || value === null ? [] : value.split(',').map((name) => name.trim())
  }

  /** RFC 7339 §4.3: milliseconds for which `oc` holds; undefined when absent. */
  get ocValidityMs(): number | undefined {
    return this.numberOf('oc-validity') ?? undefined
  }

  /** RFC 7339 §4.4: the number of this `oc`, a larger one is newer; undefined when absent. */
  get ocSequence(): number | undefined {
    return this.numberOf('oc-seq') ?? undefined
  }

  /** Whether there is a parameter of that name, in lower case. Where no value is quoted they are not decoded for it. */
  has(name: string): boolean {
    if (this.cachedParams !== undefined) return this.cachedParams.has(name)
    const raw = this.rawParams
    return raw.includes('"') ? this.params.has(name) : hasParameter(raw, name)
  }

  /** A copy with one parameter set (null: without a value) or, for undefined, removed. */
  withParam(name: string, value: string | null | undefined): Via {
    const params = withParam(this.params, name, value)
    const branch = params.get('branch') ?? undefined
    const text = encodeParams(params)
    return new Via(this.protocol, this.transport, this.host, 0, this.port, branch, text, 0, text.length)
  }

  toString(): string {
    const port = this.port === undefined ? '' : `:${this.port}`
    return `${this.protocol}/${this.transport} ${bracketHost(this.host)}${port}${decodeText(trimSpacesEnd(this.rawParams))}`
  }

  toJSON(): string {
    return this.toString()
  }

  private numberOf(name: string): number | null | undefined {
    const value = this.params.get(name)
    if (value === undefined || value === null) return value
    return /^[0-9.]{1,18}$/.test(value) ? Number(value) : undefined
  }

  private get rawParams(): string {
    return this.source.slice(this.paramsStart, this.paramsEnd)
  }
}

/** Looks for `;name` before `;`, `=` or the end, spaces between them left out. */
function hasParameter(raw: string, name: string): boolean {
  for (let at = raw.indexOf(';'); at >= 0; at = raw.indexOf(';', at + 1)) {
    let start = at + 1
    while (isSpaceCode(raw.charCodeAt(start))) start += 1
    const end = start + name.length
    if (raw.length < end || raw.slice(start, end).toLowerCase() !== name) continue
    let next = end
    while (isSpaceCode(raw.charCodeAt(next))) next += 1
    if (next >= raw.length || raw.charCodeAt(next) === 0x3b || raw.charCodeAt(next) === 0x3d) return true
  }
  return false
}

function isSpaceCode(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

const [branchName, rportName, ttlName] = [lowerWord('branch'), lowerWord('rport'), lowerWord('ttl')]
const [ocName, ocAlgoName, ocSeqName] = [lowerWord('oc'), lowerWord('oc-algo'), lowerWord('oc-seq')]
const ocValidityName = lowerWord('oc-validity')
const [udpName, tcpName] = [lowerWord('udp'), lowerWord('tcp')]

/** Reads one Via value at `start`; `cursor.next` is then at a comma or `end`. */
export function decodeVia(wire: Wire, start: number, end: number, leniency: Leniency): Via {
  let position = skipSpace(wire, start, end)
  const protocol = readProtocol(wire, position, end)
  position = cursor.next
  const transportStart = position
  position = readToken(wire, position, end)
  const transport = transportName(wire, transportStart, position)
  const hostStart = skipSpace(wire, position, end)
  if (hostStart === position) fail('VIA_INVALID', position)
  const host = scanHostPort(wire, hostStart, end, leniency, true)
  const port = hostPort.port < 0 ? undefined : hostPort.port
  const paramsStart = skipSpace(wire, hostPort.next, end)
  return readViaParams(wire, paramsStart, end, leniency, protocol, transport, host, hostStart, port)
}

function readViaParams(
  wire: Wire,
  start: number,
  end: number,
  leniency: Leniency,
  protocol: string,
  transport: string,
  host: string | undefined,
  hostStart: number,
  port: number | undefined,
): Via {
  let position = start
  let branch: string | undefined
  let count = 0
  while (position < end && wire.bytes[position]! === 0x3b) {
    count += 1
    if (count > parametersMax) fail('TOO_MANY_PARAMETERS', position)
    readParam(wire, position + 1, end, leniency)
    position = param.next
    // The lengths of branch, rport and ttl: nothing else is looked at closely here.
    const length = param.nameEnd - param.nameStart
    if (length === 6 && paramIs(wire, branchName)) {
      if (branch !== undefined) fail('PARAMETER_REPEATED', param.nameStart)
      if (param.valueStart < 0) fail('PARAMETER_INVALID', param.nameStart)
      const isQuoted = wire.bytes[param.valueStart]! === 0x22
      branch = isQuoted ? (paramValue(wire) ?? '') : wire.text.slice(param.valueStart, param.valueEnd)
    } else if (length === 5 && param.valueStart >= 0 && paramIs(wire, rportName)) {
      checkNumber(wire, 65535)
    } else if (length === 3 && paramIs(wire, ttlName)) {
      checkNumber(wire, 255)
    } else if ((wire.bytes[param.nameStart]! | 0x20) === 0x6f) {
      checkOverload(wire)
    }
  }
  if (position < end && wire.bytes[position]! !== 0x2c) fail('UNEXPECTED_CHARACTER', position)
  cursor.next = position
  return new Via(protocol, transport, host, hostStart, port, branch, wire.text, start, position)
}

/** Reads `SIP SLASH 2.0 SLASH`, with the common spelling first. */
function readProtocol(wire: Wire, start: number, end: number): string {
  if (isUsualProtocol(wire.bytes, start, end)) {
    cursor.next = start + 8
    return 'SIP/2.0'
  }
  const nameEnd = readToken(wire, start, end)
  const versionStart = readSlash(wire, nameEnd, end)
  const versionEnd = readToken(wire, versionStart, end)
  cursor.next = readSlash(wire, versionEnd, end)
  return `${wire.text.slice(start, nameEnd).toUpperCase()}/${wire.text.slice(versionStart, versionEnd)}`
}

/** True for `SIP/2.0/`. */
function isUsualProtocol(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    start + 8 <= end &&
    bytes[start] === 0x53 &&
    bytes[start + 1] === 0x49 &&
    bytes[start + 2] === 0x50 &&
    bytes[start + 3] === 0x2f &&
    bytes[start + 4] === 0x32 &&
    bytes[start + 5] === 0x2e &&
    bytes[start + 6] === 0x30 &&
    bytes[start + 7] === 0x2f
  )
}

function readToken(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end && (charFlags[wire.bytes[position]!]! & TOKEN) !== 0) position += 1
  if (position === start) fail('VIA_INVALID', start)
  return position
}

function readSlash(wire: Wire, at: number, end: number): number {
  const position = skipSpace(wire, at, end)
  if (position >= end || wire.bytes[position]! !== 0x2f) fail('VIA_INVALID', position)
  return skipSpace(wire, position + 1, end)
}

/** Upper-case transport; the common ones without making a string. */
function transportName(wire: Wire, start: number, end: number): string {
  if (equalsIgnoreCase(wire, start, end, udpName)) return 'UDP'
  if (equalsIgnoreCase(wire, start, end, tcpName)) return 'TCP'
  return wire.text.slice(start, end).toUpperCase()
}

/** RFC 7339 §4: `oc[=number]`, `oc-validity[=ms]`, `oc-seq=seconds.fraction`, `oc-algo="names"`. */
function checkOverload(wire: Wire): void {
  if (paramIs(wire, ocName) || paramIs(wire, ocValidityName)) {
    if (param.valueStart >= 0) checkNumber(wire, 4294967295, 10)
  } else if (paramIs(wire, ocSeqName)) {
    const value = param.valueStart < 0 ? '' : wire.text.slice(param.valueStart, param.valueEnd)
    if (!/^[0-9]{1,12}\.[0-9]{1,5}$/.test(value)) fail('NUMBER_INVALID', Math.max(param.valueStart, param.nameStart))
  } else if (paramIs(wire, ocAlgoName)) {
    if (param.valueStart < 0 || wire.bytes[param.valueStart] !== 0x22) fail('PARAMETER_INVALID', param.nameStart)
  }
}

function checkNumber(wire: Wire, max: number, digitsMax = 5): void {
  let value = 0
  if (param.valueStart < 0 || param.valueEnd - param.valueStart > digitsMax) fail('NUMBER_INVALID', param.nameStart)
  for (let at = param.valueStart; at < param.valueEnd; at += 1) {
    const digit = wire.bytes[at]! - 0x30
    if (digit < 0 || digit > 9) fail('NUMBER_INVALID', at)
    value = value * 10 + digit
  }
  if (value > max) fail('NUMBER_TOO_LARGE', param.valueStart)
}
