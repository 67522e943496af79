import { describe, expect, test } from 'vitest'
import { ConfigError } from '../config/problem.ts'
import { readShapingFile } from './shaping-file.ts'

function problemsOf(text: string): string[] {
  try {
    readShapingFile(text, 'shaping.toml')
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

describe('a wrong file is refused, and every wrong line is named', () => {
  test.each<[string, string, string]>([
    [
      'a misspelt key',
      '[default]\nconections = 3',
      'shaping.toml:2: default.conections: unknown key "conections"; did you mean "connections"?',
    ],
    [
      'a misspelt section',
      '[defaults]\nconnections = 3',
      'shaping.toml:1: defaults: unknown section or key "defaults"; did you mean "default"?',
    ],
    [
      'a value without a section',
      'connections = 3',
      'shaping.toml:1: connections: unknown section or key "connections"; values stand in',
    ],
    [
      'no connection at all',
      '[domain."a.example"]\n\nconnections = 0',
      'shaping.toml:3: domain.a.example.connections: must be at least 1, not 0',
    ],
    [
      'half a connection',
      '[default]\nconnections = 1.5',
      'shaping.toml:2: default.connections: expected a whole number, not 1.5',
    ],
    [
      'a text for a number',
      '[default]\nconnections = "5"',
      'shaping.toml:2: default.connections: expected a whole number, not "5"',
    ],
    [
      'a rate of nothing',
      '[default]\nmessage_rate = "0/s"',
      'shaping.toml:2: default.message_rate: expected a rate such as "100/min", or "unlimited", not "0/s"',
    ],
    [
      'a rate without a span',
      '[provider.google]\nconnection_rate = "100"',
      'shaping.toml:2: provider.google.connection_rate: expected a rate',
    ],
    [
      'connections by the hour',
      '[provider.google]\nconnection_rate = "90/h"',
      'shaping.toml:2: provider.google.connection_rate: must be by the second or the minute, as a restart counts',
    ],
    [
      'another kind of TLS',
      '[provider.google]\ntls = "yes"',
      'shaping.toml:2: provider.google.tls: expected one of "opportunistic", "required", "verify", "none", not "yes"',
    ],
    ['no retry', '[default]\nretry = []', 'shaping.toml:2: default.retry: must not be empty'],
    [
      'a retry at once',
      '[default]\nretry = ["5m",\n "0"]',
      'shaping.toml:3: default.retry.1: must be longer than "0", not "0"',
    ],
    [
      'a timeout of nothing',
      '[default]\nconnect_timeout = "0"',
      'shaping.toml:2: default.connect_timeout: must be longer than "0", not "0"',
    ],
    [
      'a domain that is none',
      '[domain."*.example"]\nconnections = 1',
      'shaping.toml:1: domain.*.example: expected a domain as in DNS',
    ],
    [
      'a provider limit elsewhere',
      '[default]\nprovider_connections = 1',
      'shaping.toml:2: default.provider_connections: unknown key "provider_connections"; only a [provider.…] has it',
    ],
    [
      'a host end that is none',
      '[provider.x]\nmx = ["*.google.com"]',
      'shaping.toml:2: provider.x.mx.0: expected the end of a host name',
    ],
    ['no TOML', '[default\nconnections = 3', 'shaping.toml:1:'],
    ['a section twice', '[default]\nconnections = 3\n[default]\n', 'shaping.toml:3:'],
    ['a source without a rate', '[source.one]\nnote = "x"', 'shaping.toml:1: source.one.message_rate: is missing'],
    [
      'a total without end',
      '[source.one]\nmessage_rate = "unlimited"',
      'shaping.toml:2: source.one.message_rate: expected a rate',
    ],
    [
      'nonsense in a source',
      '[site."x".source.one]\nconections = 1',
      'shaping.toml:2: site.x.source.one.conections: unknown key "conections"; did you mean "connections"?',
    ],
  ])('%s', (_, text, expected) => {
    const problems = problemsOf(text)
    expect(problems[0]?.slice(0, expected.length)).toBe(expected)
  })

  test('all of them at once, in the order of the lines', () => {
    const text = '[domain."b.example"]\ntls = 1\n[default]\nconnections = 0\nidle_timeout = "soon"'
    expect(problemsOf(text).map((line) => line.slice(0, 15))).toEqual([
      'shaping.toml:2:',
      'shaping.toml:4:',
      'shaping.toml:5:',
    ])
  })
})

test('an empty file says nothing', () => {
  expect(readShapingFile('# nothing\n', 'shaping.toml')).toMatchObject({ sections: [], providers: [], sources: [] })
})
