/* A place in a stream: what is read is written as something that reads the same; within its room; no gate is in it twice. */
#include "admin/streams_place.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct streams_place place, again;
	char room[STREAMS_PLACE];
	struct text t = text_over(room, sizeof room);

	if (!streams_place_read(in, &place)) {
		must(place.own == -1 && !place.n);
		return 0;
	}
	must(place.n <= STREAMS_GATES);
	for (size_t i = 0; i < place.n; i++)
		must(place.others[i].gate <= STREAMS_GATE_MAX && place.others[i].at >= 0 &&
		     streams_place_of(&place, place.others[i].gate) == &place.others[i].at);
	streams_place_text(&t, &place);
	must(!t.full && streams_place_read(text_bytes(&t), &again));
	must(again.own == place.own && again.n == place.n);
	for (size_t i = 0; i < place.n; i++)
		must(again.others[i].gate == place.others[i].gate && again.others[i].at == place.others[i].at);
	return 0;
}
