// Kinds of values that several sections share.

import { z } from 'zod'

export const port = () => z.number().int().min(0).max(65_535)

export const name = () =>
  z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected a name of lower-case letters, digits, ".", "_" and "-"')

export const domainName = () =>
  z
    .string()
    .toLowerCase()
    .regex(/^[^\s@]+$/, 'expected a domain name')

export const text = () => z.string().min(1)

export const share = () => z.number().min(0).max(1)

export const suppressionMode = () => z.enum(['accept', 'auto', 'reject'])

export const preset = () => z.enum(['standard', 'transactional', 'patient'])
