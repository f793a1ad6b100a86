/**
 * zod schemas for the kinds of values that settings hold. Each takes the text of an environment variable or flag as
 * well as the natural JSON form of the configuration file.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { LISTENERS_MAX, USERS_MAX } from '../limits'
import { type ListenAddress, parseListenAddress } from './listen-address'

/** A word that stands for "work it out from the machine". */
export const AUTO = 'auto'

/** A range of UDP ports, both ends included. */
export interface PortRange {
  readonly min: number
  readonly max: number
}

/** A user given in the configuration. */
export interface ConfiguredUser {
  readonly extension: string
  readonly password: string
}

/** A whole number between two bounds, both included. */
export function wholeNumber(min: number, max: number): z.ZodType<number> {
  return z.preprocess(numberFromText, z.number().int().min(min).max(max))
}

/** One word of a list. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T): z.ZodType<T[number]> {
  return z.preprocess(trimmed, z.enum(words)) as unknown as z.ZodType<T[number]>
}

/** Several different words of a list, in order of preference; comma-separated as text. */
export function someOf<const T extends readonly [string, ...string[]]>(words: T): z.ZodType<readonly T[number][]> {
  const list = z.array(z.enum(words)).min(1).refine(allDifferent)
  return z.preprocess(listFromText, list) as unknown as z.ZodType<readonly T[number][]>
}

/** A path in the file system: any text without control characters. */
export const pathText = z.preprocess(trimmed, z.string().min(1).max(4096).refine(hasNoControls))

/** A DNS name or IP literal (IPv6 without brackets), or `auto`. */
export function hostOrAuto(): z.ZodType<string> {
  return z.preprocess(bareHost, z.string().refine(isHost))
}

/** An IP literal (IPv6 without brackets), or `auto`. */
export function addressOrAuto(): z.ZodType<string> {
  return z.preprocess(
    bareHost,
    z.string().refine((text) => text === AUTO || isIP(text) !== 0),
  )
}

/** `auto`, or IP literals (IPv6 without brackets), comma-separated as text. */
export const addressesOrAuto: z.ZodType<readonly string[]> = z.preprocess(
  (value) => (typeof value === 'string' && value.trim() === AUTO ? [] : mapList(listFromText(value), bareHost)),
  z
    .array(z.string().refine((text) => isIP(text) !== 0))
    .max(8)
    .refine(allDifferent),
)

/** Listen addresses, comma-separated as text. */
export const listenAddresses: z.ZodType<readonly ListenAddress[]> = z.preprocess(
  (value) =>
    mapList(listFromText(value), (item) => (typeof item === 'string' ? (parseListenAddress(item) ?? item) : item)),
  z
    .array(z.object({ transport: z.string(), host: z.string(), port: z.number() }))
    .min(1)
    .max(LISTENERS_MAX)
    .refine((list) => allDifferent(list.filter((item) => item.port !== 0).map((item) => JSON.stringify(item)))),
)

/** A range `low-high` of ports with room for one even and odd pair. */
export const portRange: z.ZodType<PortRange> = z.preprocess(
  rangeFromText,
  z
    .object({ min: z.number().int().min(1024).max(65_535), max: z.number().int().min(1024).max(65_535) })
    .refine(({ min, max }) => max - (min + (min % 2)) >= 1),
)

/** Users: `extension:password` comma-separated as text, an object or a list in the file. */
export const configuredUsers: z.ZodType<readonly ConfiguredUser[]> = z.preprocess(
  usersFromAny,
  z
    .array(
      z.object({
        extension: z.string().refine(isExtension),
        password: z.string().min(1).max(256).refine(hasNoControls),
      }),
    )
    .max(USERS_MAX)
    .refine((list) => allDifferent(list.map((user) => user.extension))),
)

/** True for what may be dialled as an extension: one to 32 letters, digits, dots, underscores, plus and minus. */
export function isExtension(text: string): boolean {
  return /^[A-Za-z0-9._+-]{1,32}$/.test(text)
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true
  if (/^[0-9.]+$/.test(text) || text.length > 253) return false
  return text.split('.').every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
}

function trimmed(value: unknown): unknown {
  return typeof value === 'string' ? value.trim() : value
}

function numberFromText(value: unknown): unknown {
  return typeof value === 'string' && /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : value
}

function listFromText(value: unknown): unknown {
  if (typeof value !== 'string') return value
  return value.split(',').map((item) => item.trim())
}

function mapList(value: unknown, change: (item: unknown) => unknown): unknown {
  return Array.isArray(value) ? value.map(change) : value
}

function bareHost(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const text = value.trim()
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
}

function rangeFromText(value: unknown): unknown {
  const match = typeof value === 'string' ? /^\s*(\d{1,5})\s*-\s*(\d{1,5})\s*$/.exec(value) : null
  return match ? { min: Number(match[1]), max: Number(match[2]) } : value
}

function usersFromAny(value: unknown): unknown {
  if (typeof value === 'string') {
    if (value.trim() === '') return []
    return value.split(',').map((item) => {
      const colon = item.indexOf(':')
      return colon < 0 ? item : { extension: item.slice(0, colon).trim(), password: item.slice(colon + 1) }
    })
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return Object.entries(value).map(([extension, password]) => ({ extension, password }))
  }
  return value
}

function hasNoControls(text: string): boolean {
  return !/[\u0000-\u001f\u007f]/.test(text)
}

function allDifferent(list: readonly unknown[]): boolean {
  return new Set(list).size === list.length
}
