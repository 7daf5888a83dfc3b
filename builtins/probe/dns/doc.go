// Package dns serves names in a namespace and asks for them there (RFC 1034, RFC
// 1035). The messages on the wire are those of github.com/miekg/dns.
//
// A [Server] answers from records that a script gave ([Parse] reads them). From the
// records it derives the zones that it is authoritative for, with a start of authority
// for each and the reverse names of all addresses, so that a name that does not exist
// (NXDOMAIN) is told from one that has no record of the type asked for. Clients of
// certain networks may be given another view. What belongs to none of its zones is
// forwarded, or refused.
//
// [Ask] puts one question to the servers of a [Config], as a stub resolver does.
package dns
