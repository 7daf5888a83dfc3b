package builtins

// kindSpecs are the builtins that make links which are neither cables nor bridges.
var kindSpecs = append([]spec{
	vlanSpec, bondSpec, tunnelSpec, vxlanSpec, macvlanSpec, ipvlanSpec, dummySpec, vrfSpec,
}, append(wireguardSpecs, neighborSpec)...)
