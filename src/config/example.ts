// Example values for options that have no default, as they stand in the commented configuration. A test holds them
// against the schema: every one must be there and be valid.

const EXAMPLES: Readonly<Record<string, unknown>> = {
  'node.hostname': 'relay.example.com',
  'tenant.lifetime': '72h',
  'tenant.pool': 'default',
  'tenant.max_queued': 100_000,
  'credential.name': 'app',
  'credential.password': 'scrypt:16384:8:1:c2FsdCBvZiAxNiBieXRl:aGFzaCBvZiBhdCBsZWFzdCBzaXh0ZWVuIGJ5dGVz',
  'credential.password_file': 'app.hash',
  'credential.suppression_mode': 'auto',
  'domain.name': 'example.com',
  'domain.return_path': 'bounce.example.com',
  'domain.dkim.selector': 's1',
  'domain.dkim.key_file': 'data/dkim/example.com.s1.pem',
  'delivery.message_rate': '1000/h',
  'delivery.ca': '-----BEGIN CERTIFICATE-----',
  'delivery.ca_file': 'certs/our-ca.pem',
  'tls_policy.domain': 'example.net',
  'tls_policy.tls': 'verify',
  'tls_policy.min_version': 'TLSv1.2',
  'tls_report.from': 'tls-reports@example.com',
  'tls_report.organization': 'Example Inc.',
  'route.domain': 'example.net',
  'route.to': 'smtp://mx.example.net:25',
  'route.user': 'relay',
  'route.password': 'secret',
  'route.password_file': 'example.net.password',
  'route.connections': 5,
  'bounce.rules': 'config/rules.toml',
  'bounce_box.address': 'fbl@bounce.example.com',
  'mailbox.name': 'support',
  'mailbox.host': 'imap.example.com',
  'mailbox.user': 'news@example.com',
  'mailbox.password': 'secret',
  'mailbox.password_file': 'support.password',
  'mailbox.move_to': 'Bounces',
  'unsubscribe.url': 'https://mail.example.com/u',
  'unsubscribe.port': 2580,
  'source.ipv4': '203.0.113.10',
  'source.ipv6': '2001:db8::10',
  'source.public_ipv4': '203.0.113.10',
  'source.public_ipv6': '2001:db8::10',
  'source.ehlo': 'mta1.example.com',
}

/** `path` without indexes. */
export function exampleOf(path: readonly string[]): unknown {
  return EXAMPLES[path.join('.')]
}
