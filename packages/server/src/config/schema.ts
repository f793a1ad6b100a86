/**
 * The configuration schema: the single source of every setting. Names of environment variables and flags, the
 * reference page, the help text, error messages and `check-config` are all derived from it.
 */
import { z } from 'zod'
import { SRTP_POLICIES } from '../media/port'
import {
  addressesOrAuto,
  addressOrAuto,
  configuredUsers,
  hostOrAuto,
  listenAddresses,
  oneOf,
  pathText,
  portRange,
  someOf,
  wholeNumber,
} from './codecs'

/** What is said of a setting beside its schema. */
export interface KeyMeta {
  /** A short name of the type, for tables. */
  readonly type: string
  /** The default, in the text form that an environment variable would hold. */
  readonly default: string
  /** What it accepts, to complete the sentence "it accepts …". */
  readonly accepts: string
  /** One or two sentences for the reference. */
  readonly description: string
  /** True when the value must never be shown. */
  readonly isSecret?: true
}

/** Where the schema keeps what is said of its settings. */
export const keyRegistry = z.registry<KeyMeta>()

function key<T extends z.ZodType>(schema: T, meta: KeyMeta): T {
  // What is said is kept by schema: two settings that shared one would say the same.
  if (keyRegistry.has(schema)) throw new Error('a schema stands for one setting only')
  keyRegistry.add(schema, meta)
  return schema
}

function milliseconds(min: number, max: number, byDefault: number, description: string): z.ZodType<number> {
  return key(wholeNumber(min, max), {
    type: 'milliseconds',
    default: String(byDefault),
    accepts: `a whole number of milliseconds from ${min} to ${max}`,
    description,
  })
}

function seconds(min: number, max: number, byDefault: number, description: string): z.ZodType<number> {
  return key(wholeNumber(min, max), {
    type: 'seconds',
    default: String(byDefault),
    accepts: `a whole number of seconds from ${min} to ${max}`,
    description,
  })
}

function count(min: number, max: number, byDefault: number, description: string): z.ZodType<number> {
  return key(wholeNumber(min, max), {
    type: 'count',
    default: String(byDefault),
    accepts: `a whole number from ${min} to ${max}`,
    description,
  })
}

/** The schema of the whole configuration. */
export const configSchema = z.strictObject({
  dataDir: key(pathText, {
    type: 'path',
    default: '.carillon',
    accepts: 'the path of a directory that can be written, or made',
    description: 'The directory of everything the server keeps. Made on the first start, readable by its owner only.',
  }),
  domain: key(hostOrAuto(), {
    type: 'host',
    default: 'auto',
    accepts: 'a DNS name, an IP address, or auto',
    description:
      'The SIP domain of the users, and the realm of their passwords. `auto` takes the advertised address and then answers for any domain that a phone was told.',
  }),
  advertisedAddress: key(hostOrAuto(), {
    type: 'host',
    default: 'auto',
    accepts: 'a DNS name, an IP address, or auto',
    description:
      'The address that Via and Contact show, when it is not the one listened on, such as the public address of a NAT. `auto` shows each peer the address of this machine that is nearest to it.',
  }),
  users: key(configuredUsers, {
    type: 'users',
    default: '',
    accepts:
      'extension:password pairs separated by commas, such as 1001:secret,1002:secret; an extension is 1 to 32 letters, digits or . _ + -, and appears once',
    description:
      'The users. When empty they are in users.json in the data directory, which the first start makes with two extensions.',
    isSecret: true,
  }),
  banner: key(oneOf(['full', 'short']), {
    type: 'word',
    default: 'full',
    accepts: 'full or short',
    description:
      'What is printed on standard output once the server listens: `full` has the passwords of extensions that the server made itself, `short` has none.',
  }),
  drainTimeoutMs: milliseconds(
    0,
    3_600_000,
    5_000,
    'How long live calls may go on after the server was told to stop, before it hangs them up.',
  ),
  sip: z.strictObject({
    listen: key(listenAddresses, {
      type: 'listen URIs',
      default: 'udp://0.0.0.0:5060,tcp://0.0.0.0:5060',
      accepts:
        'up to 16 different URIs separated by commas, such as udp://127.0.0.1:5060,tcp://[::1]:5060; transports udp and tcp, an IP address, a port from 0 to 65535',
      description: 'Where SIP is listened for.',
    }),
  }),
  auth: z.strictObject({
    algorithms: key(someOf(['SHA-256', 'MD5']), {
      type: 'words',
      default: 'SHA-256,MD5',
      accepts: 'SHA-256 and MD5, one or both, separated by a comma, strongest first',
      description:
        'Digest algorithms that phones are offered (RFC 8760), in order. A phone that is known to give up on anything but MD5 is offered MD5 alone, if it is in the list.',
    }),
    nonceLifetimeMs: milliseconds(
      10_000,
      86_400_000,
      300_000,
      'How long a digest nonce is good for. After that a phone is told that it is stale, and repeats by itself.',
    ),
  }),
  registration: z.strictObject({
    minSeconds: seconds(1, 86_400, 60, 'The shortest registration; a shorter one is answered 423 with this figure.'),
    maxSeconds: seconds(1, 604_800, 7_200, 'The longest registration; a longer one is shortened to this.'),
    defaultSeconds: seconds(1, 604_800, 3_600, 'How long a registration lasts whose phone does not say.'),
    contactsMax: count(1, 32, 10, 'How many phones may be registered for one extension at a time.'),
  }),
  calls: z.strictObject({
    max: count(1, 100_000, 1_000, 'How many calls may live at a time; one more is answered 503.'),
    ringTimeoutMs: milliseconds(1_000, 600_000, 60_000, 'How long a call rings before the caller is told 480.'),
    durationMaxMs: milliseconds(
      10_000,
      604_800_000,
      14_400_000,
      'How long a call may last before the server hangs it up.',
    ),
  }),
  media: z.strictObject({
    address: key(addressesOrAuto, {
      type: 'IP addresses',
      default: 'auto',
      accepts: 'IP addresses of this machine separated by commas, or auto',
      description:
        "The addresses that the relay opens RTP ports on. `auto` takes those of the SIP listeners, and the machine's primary address for a listener bound to every address.",
    }),
    advertisedAddress: key(addressOrAuto(), {
      type: 'IP address',
      default: 'auto',
      accepts: 'an IP address, or auto',
      description:
        'The address written into SDP, when it is not the one of the relay. `auto` takes the advertised address of SIP if one is set and is an IP address.',
    }),
    ports: key(portRange, {
      type: 'port range',
      default: '20000-29999',
      accepts:
        'a range of UDP ports such as 20000-29999, within 1024 to 65535, with at least an even port and the odd one after it',
      description: 'The UDP ports for RTP and RTCP. A call with one audio stream takes four.',
    }),
    silenceTimeoutMs: milliseconds(
      1_000,
      86_400_000,
      120_000,
      'How long neither side may send any media before the call is hung up. Calls on hold are exempt.',
    ),
    srtp: key(oneOf(SRTP_POLICIES), {
      type: 'word',
      default: 'as-offered',
      accepts: 'as-offered, off, on or best-effort',
      description:
        'How phones are offered media whose user has no `srtp` of its own in users.json: `as-offered` as the other phone offers it, `off` in plain RTP, `on` in SRTP with keys in the SDP (RFC 4568) and no other way, `best-effort` in plain RTP with keys that they may take (RFC 8643). Where the two sides differ the relay encrypts between them. DTLS-SRTP is passed on as it is.',
    }),
    workers: count(
      0,
      64,
      0,
      'Threads that carry the media beside the one that does the signalling; 0 has that one carry it too. Each has its part of the ports, and the crash of one ends its own calls only.',
    ),
  }),
  log: z.strictObject({
    level: key(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']), {
      type: 'word',
      default: 'info',
      accepts: 'trace, debug, info, warn, error or silent',
      description: 'The least severe log lines that are written. Logs are JSON lines on standard error.',
    }),
  }),
})

/** A configuration that was read and found valid. `auto` values are not worked out yet. */
export type Config = z.output<typeof configSchema>
